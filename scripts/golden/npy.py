#!/usr/bin/env python3
"""Writes src/test/resources/npy: small arrays as NumPy saves them. Cell [r, c] of each is VALUES[r, c] in its own dtype."""
import pathlib

import numpy as np

OUT = pathlib.Path(__file__).resolve().parents[2] / "src/test/resources/npy"
# Negative values wrap around in unsigned dtypes; the tests expect it.
VALUES = np.array([[0, 1, -2], [100, 7, -128]])

OUT.mkdir(exist_ok=True)
for dtype in ["f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]:
    np.save(OUT / f"{dtype}.npy", VALUES.astype("<" + dtype))
np.save(OUT / "b1.npy", VALUES.astype(bool))
for dtype in ["f4", "f8", "i2", "i4", "i8", "u2", "u4", "u8"]:
    np.save(OUT / f"{dtype}-big.npy", VALUES.astype(">" + dtype))
np.save(OUT / "fortran.npy", np.asfortranarray(VALUES.astype("f8")))
for version in [(2, 0), (3, 0)]:
    with open(OUT / f"version-{version[0]}.npy", "wb") as file:
        np.lib.format.write_array(file, VALUES.astype("f8"), version=version)
np.save(OUT / "three-dimensions.npy", np.arange(24, dtype="i4").reshape(2, 3, 4))
np.save(OUT / "one-dimension.npy", np.arange(5, dtype="i4"))
np.save(OUT / "infinite.npy", np.array([[1, 2], [3, np.inf]]))
np.save(OUT / "missing.npy", np.array([[1, np.nan], [3, 4]]))
np.save(OUT / "scalar.npy", np.array(5.0))
np.save(OUT / "no-rows.npy", np.zeros((0, 3)))
np.save(OUT / "texts.npy", np.array(["a", "b"]))
np.save(OUT / "objects.npy", np.array([None, "b"], dtype=object))
np.save(OUT / "half.npy", VALUES.astype("f2"))
np.save(OUT / "complex.npy", VALUES.astype("c16"))
np.save(OUT / "records.npy", np.zeros(3, dtype=[("a", "f8"), ("b", "i4")]))

X, Y = VALUES.astype("f8"), np.array([3, 4])
np.savez(OUT / "stored.npz", X=X, y=Y)
np.savez_compressed(OUT / "deflated.npz", X=X, y=Y)
np.savez(OUT / "single.npz", only=X)
np.savez(OUT / "others.npz", a=X, b=Y)
np.savez(OUT / "lone-x.npz", X=X)
