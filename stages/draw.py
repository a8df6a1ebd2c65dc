"""Draw what the other stages wrote: all pictures are made here, so a new colour trains nothing again."""

from pathlib import Path

from src import cli, curves, drawing, images, params, prediction, trained
from src.outputs import replacing
from src.seeds import Seeds, keep_only


def main(
    split_dir: Path, compared_csv: Path, models_dir: Path, loss_dir: Path, accuracy_dir: Path, pictures_dir: Path
) -> None:
    seeds = params.load("seeds", Seeds).root
    keep_only(seeds, models_dir, loss_dir, accuracy_dir)
    train_set, validation_set = (images.load(split_dir / name) for name in ("train", "validation"))
    model = trained.load(models_dir / f"{seeds[0]}.safetensors")
    compared = prediction.read_compared(compared_csv)
    figures = {
        "digits": drawing.digits(train_set),
        "curves": drawing.learning_curves(curves.read(loss_dir, seeds), curves.read(accuracy_dir, seeds)),
        "mistakes": drawing.mistakes(validation_set, compared),
        "weights": drawing.weights(model),
    }
    with replacing(pictures_dir) as folder:
        drawing.save(folder, figures)


if __name__ == "__main__":
    cli.run(main)
