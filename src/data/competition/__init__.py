"""The data contract: what the three files of a competition must contain. Only this package reads and checks them.

Column names, sizes and classes come from the files:

- `sample_submission.csv`: the first column is the id, the second the prediction.
- `train.csv`: the label is a column that `test.csv` lacks. If there is a `label.txt`, it names the column. Otherwise it
  has the name of the prediction or is called `label`, or it is the only one that is not named like a pixel.
- `test.csv`: all columns except the id are pixels, and `train.csv` has them too. Their number is a square. A row is an
  image. Without an id column, the rows are in the order of `sample_submission.csv`.
- Pixels are whole numbers from 0 to 255, or fractions from 0 to 1. `scale` finds which value is white.
"""
