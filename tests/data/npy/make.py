"""Makes the arrays of this folder with NumPy (2.4 made what is here). Element [i, j] is 10 i + j, and
half more in floats; in three dimensions [i, j, k] is 6 i + 3 j + k. The last bit of wide.npy is lost
to float32."""

import os

import numpy as np

os.chdir(os.path.dirname(os.path.abspath(__file__)))
whole = np.add.outer(10 * np.arange(5), np.arange(3))
images = np.arange(24).reshape(4, 2, 3)

np.save("f2.npy", (whole + 0.5).astype("<f2"))
np.save("f4.npy", (whole + 0.5).astype("<f4"))
np.save("f8.npy", (whole + 0.5).astype("<f8"))
np.save("f4_big.npy", (whole + 0.5).astype(">f4"))
np.save("f8_fortran.npy", np.asfortranarray(whole + 0.5))
np.save("i1.npy", whole.astype("i1"))
np.save("i2_big.npy", whole.astype(">i2"))
np.save("i4.npy", whole.astype("<i4"))
np.save("i8_fortran.npy", np.asfortranarray(whole.astype("<i8")))
np.save("u2.npy", whole.astype("<u2"))
np.save("u4_big.npy", whole.astype(">u4"))
np.save("u8.npy", whole.astype("<u8"))
np.save("u1.npy", whole.astype("u1"))
np.save("bool.npy", whole % 2 == 1)
np.save("images.npy", images.astype("u1"))
np.save("images_fortran.npy", np.asfortranarray(images.astype("u1")))
np.save("numbers_fortran.npy", np.asfortranarray(images.astype("<f4")))
np.save("labels.npy", np.array([2, 0, 1, 2]))
np.save("column.npy", np.array([[2], [0], [1], [2]], dtype="<u2"))
np.save("wide.npy", np.array([[2**53 - 1, -2**53], [1, 2]], dtype="<i8"))
np.save("special.npy", np.array([[1, np.nan], [65504, 2**-24]], dtype="<f2"))
np.save("infinite.npy", np.array([[1, 2], [3, -np.inf]], order="F"))
np.save("text.npy", np.array([["a", "b"]]))
np.save("complex.npy", np.array([[1j, 2]]))
np.save("objects.npy", np.array([[None, 1]], dtype=object))
np.save("structured.npy", np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f8")]))
with open("version2.npy", "wb") as file:
    np.lib.format.write_array(file, whole + 0.5, version=(2, 0))
