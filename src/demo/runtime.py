"""ONNX Runtime Web, which computes the model in the page.

It is kept in git, the only file over 1 MiB there: a machine with Python alone has no npm, and may have no network.
"""

import hashlib
import lzma
from pathlib import Path

FOLDER = Path(__file__).parent / "onnxruntime-web"
PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
INTEGRITY = "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
"""Of the npm package that the files are from."""
SHA256 = {
    "ort.wasm.bundle.min.mjs": "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    "ort-wasm-simd-threaded.wasm": "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
"""Of the files in its folder `dist`; the second is kept compressed."""


def javascript() -> str:
    """Return the ECMAScript module."""
    return _verified("ort.wasm.bundle.min.mjs", (FOLDER / "ort.wasm.bundle.min.mjs").read_bytes()).decode()


def wasm() -> bytes:
    """Return the WebAssembly module."""
    name = "ort-wasm-simd-threaded.wasm"
    return _verified(name, lzma.decompress((FOLDER / f"{name}.xz").read_bytes()))


def notices() -> str:
    """Return the licence of both, and those of what they are built from."""
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in ("LICENSE", "ThirdPartyNotices.txt"))


def _verified(name: str, content: bytes) -> bytes:
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise ValueError(f"{FOLDER / name} is not the file of {PACKAGE} {VERSION}")
    return content
