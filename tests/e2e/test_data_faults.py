"""Every fault of data, in every form that is read: a 422 that names the place and what was expected,
and nothing stays behind, neither a file nor the name.

Method: one table of small files, each sent to one server and given to `ockham train --data`, which
has to say the same and leave its directory as it was.
"""

import gzip
import os
import struct

import pytest
from cli_tools import run
from ockserver import Server, is_problem

CSV = "a,b,label\n" + "".join(f"{i},{i * i % 7},{'yes' if i % 2 else 'no'}\n" for i in range(200))
SVM = "".join(f"{i % 2} 1:{i} 3:0.5\n" for i in range(100))


def idx(shape, values=b"", kind=0x08):
    return struct.pack(">HBB", 0, kind, len(shape)) + \
        b"".join(struct.pack(">I", size) for size in shape) + bytes(values)


def npy(shape, *values, descr="<f8"):
    """What numpy.save writes; the shape may be any text."""
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + \
        struct.pack(f"<{len(values)}d", *values)


def zstd(body):
    """One raw block, as RFC 8878 has it; the body has 256 bytes or more."""
    return b"\x28\xb5\x2f\xfd" + struct.pack("<BH", 0x60, len(body) - 256) + \
        struct.pack("<I", len(body) << 3 | 1)[:3] + body


def zstd_of_one(byte, mib):
    """Blocks of 128 KiB of the same byte: four bytes each."""
    blocks = [struct.pack("<I", 1 << 20 | 1 << 1)[:3] + byte] * (8 * mib)
    last = struct.pack("<I", 1 << 3 | 1 << 1 | 1)[:3] + byte
    return b"\x28\xb5\x2f\xfd\x00\x38" + b"".join(blocks) + last


def changed(body, at):
    return body[:at] + bytes([body[at] ^ 0x55]) + body[at + 1:]


PACKED, BOMB = gzip.compress(CSV.encode()), gzip.compress(b"\n" * (70 << 20), 9)
TABLE = npy((2, 2), 1, 2, 3, 4)
EMPTY = "line 1: the file is empty; expected rows"

# The query, the file, and what has to be said of it.
TABLES = {
    # CSV and TSV
    "a row too short": ("", "a,b,y\n1,2,3\n1,2\n", "line 3, column 3: has 2 fields, expected the 3"),
    "a row too long": ("", "a,b,y\n1,2,3\n1,2,3,4\n", "line 3, column 4: has 4 fields, expected the 3"),
    "a TSV's row": ("format=tsv", "a\tb\ty\n1\t2\t3\n1\t2\n", "line 3, column 3: has 2 fields"),
    "text among numbers": ("types=b:number", "a,b\n1,2\n1,abc\n",
                           'line 3, column 2 ("b"): expected a number, as types says; found "abc"'),
    "no boolean": ("types=b:boolean", "a,b\n1,yes\n1,2\n", 'line 3, column 2 ("b"): expected a boolean'),
    "infinite": ("", "a,b\n1,2\ninf,3\n", 'line 3, column 1 ("a"): an infinite number; expected a finite'),
    "too large a number": ("", "a,b\n1,2\n3,1e999\n", 'line 3, column 2 ("b"): an infinite number'),
    "names twice": ("", "a,b,a\n1,2,3\n", 'line 1, column 3: two columns are named "a", column 1'),
    "a TSV's names twice": ("format=tsv", "a\tb\tb\n1\t2\t3\n", 'line 1, column 3: two columns are named "b"'),
    "a name too long": ("header=true", "a," + "n" * 300 + "\n1,2\n", "line 1, column 2: the name is longer"),
    "one column": ("", "a\n1\n2\n", "line 1, column 1: has one field, two are needed"),
    "another delimiter": ("delimiter=;", "a,b\n1,2\n", "is the delimiter another one?"),
    "nothing": ("", "", "empty; expected"),
    "blank lines": ("", "\n\n\n", EMPTY),
    "blanks": ("", "  \n", EMPTY),
    "a header alone": ("", "a,b\n", "line 1: the file has a header but no rows; expected some"),
    "a NUL": ("", "a,b\n1,2\n1\0,3\n", "line 3, column 2: has a NUL byte"),
    "UTF-16": ("", "a,b\n1,2\n".encode("utf-16"), "byte 0: the file is UTF-16; save it as UTF-8"),
    "Latin-1": ("", "a,b\n1,\xe9\n".encode("latin-1"), 'line 2, column 2 ("b"): the text is not UTF-8'),
    "a name in Latin-1": ("", "a,\xe9\n1,2\n".encode("latin-1"), "line 1, column 2: the name is not UTF-8"),
    "an open quote": ("", 'a,b\n1,"2\n3,4\n', "line 2, column 3: a quote begins here and never ends"),
    "a quote in the middle": ("", 'a,b\n1,"2"x\n', "line 2, column 6: text stands behind the quote"),
    "a field too long": ("", "a,b\n1," + "x" * 70000 + "\n", "line 2, field 2: is longer than 65536 bytes"),
    # Packed
    "a cut gzip": ("", PACKED[:-20], "the gzip file is cut off after"),
    "a gzip without its end": ("", PACKED[:-3], f"byte {len(PACKED) - 3}: the gzip file is cut off after 1800"),
    "a gzip's checksum": ("", changed(PACKED, -6), "the gzip file is damaged: incorrect data check"),
    "a damaged gzip": ("", changed(PACKED, 40), ": the gzip file is damaged"),
    "more than a gzip": ("", PACKED + b"junk", f"byte {len(PACKED)}: after its end the gzip file goes on"),
    "a gzip of nothing": ("", gzip.compress(b""), EMPTY),
    "a gzip of a bad row": ("", gzip.compress(b"a,b\n1,2\n3\n"), "line 3, column 2: has 1 field,"),
    "a gzip bomb": ("", BOMB, "unpack to more bytes than 67108864, which is 500 times"),
    "a cut zstd": ("", zstd(CSV.encode())[:-1], "the zstd file is cut off after 1799 unpacked bytes"),
    "more than a zstd": ("", zstd(CSV.encode()) + b"junk", "byte 1810: after its end the zstd file goes on"),
    "a damaged zstd": ("", zstd(CSV.encode())[:4] + b"\xff" * 40, "byte 0: the zstd file is damaged"),
    "a zstd bomb": ("", zstd_of_one(b"\n", 70), "unpack to more bytes than 67108864"),
    "zip": ("", b"PK\x03\x04" + b"-" * 60, "byte 0: the data are packed with zip; unpack them"),
    "xz": ("", b"\xfd7zXZ\0" + b"-" * 60, "byte 0: the data are packed with xz"),
    # svmlight
    "no number as a label": ("", "1 1:2\nabc 1:3\n", 'line 2, column 1: expected a number as the label, found "abc"'),
    "no label": ("", "1 1:2\n1:3 2:4\n", 'line 2, column 1: expected a label before the first index:value'),
    "a label that is missing": ("", "1 1:2\nnan 1:3\n", 'line 2, column 1: expected a number as the label'),
    "no index": ("", "1 1:2\n1 x:3\n", 'line 2, column 3: expected index:value'),
    "no value": ("", "1 1:2\n1 1:abc\n", 'line 2, column 3: expected index:value'),
    "an infinite value": ("", "1 1:2\n1 1:inf\n", 'line 2, column 3: expected index:value, a whole number and a finite one'),
    "a value that is missing": ("", "1 1:2\n1 1:nan\n", 'line 2, column 3: expected index:value'),
    "an index of 2^63": ("", "1 1:2\n1 9223372036854775808:1\n", "line 2, column 3: an index above 1048576, the limit"),
    "an index twice": ("", "1 1:2\n1 3:1 3:1\n", "line 2, column 7: the index 3 stands behind 3; expected rising"),
    "labels alone": ("format=svmlight", "1\n0\n", "line 1: labels but no features; expected index:value"),
    "comments alone": ("format=svmlight", "# nothing\n", EMPTY),
    "a NUL in svmlight": ("", "1 1:2\n1 1:\0\n", "line 2, column 5: has a NUL byte"),
    "a cut gzip of svmlight": ("", gzip.compress(SVM.encode())[:-9], "the gzip file is cut off after"),
    # NPY
    "a cut NPY header": ("", TABLE[:8], "ends at byte 8, where 2 more were expected"),
    "a cut NPY": ("", TABLE[:-1], f"ends at byte {len(TABLE) - 1}, where 1 more were expected"),
    "more than an NPY": ("", TABLE + b"x", f"goes on after byte {len(TABLE)}"),
    "infinite in NPY": ("", npy((2, 2), 1, 2, float("inf"), 4), "byte 144: an infinite number in row 2; expected a finite"),
    "2^63 rows": ("", npy((1 << 63, 2), 1), "byte 61: has too many rows, the limit is"),
    "2^63 columns": ("", npy((2, 1 << 63), 1), "byte 64: a row has too many numbers, the limit is"),
    "10^23 rows": ("", npy((10 ** 23, 2), 1), "byte 61: has too many rows, the limit is"),
    "2^55 bytes": ("", npy((1 << 31, 1 << 19), 1), "byte 61: its NPY header promises"),
    "a packed promise": ("", gzip.compress(npy((1 << 31, 1 << 19), 1)), "byte 61: its NPY header promises"),
    "less than no rows": ("", npy((-1, 2), 1), "byte 61: expected a dimension"),
    "no rows": ("", npy((0, 2)), "byte 61: dimension 0 is 0; expected"),
    "no columns": ("", npy((2, 0)), "byte 64: dimension 1 is 0; expected"),
    "one dimension": ("", npy((4,), 1, 2, 3, 4), "byte 61: has 1 dimension, a table has two"),
    "one number": ("", npy((), 1), "is a single number, its shape is (); expected rows"),
    "Python objects": ("", npy((1, 2), 1, 2, descr="|O"), "byte 20: holds Python objects"),
    "complex numbers": ("", npy((1, 1), 1, 2, descr="<c16"), "byte 20: its dtype '<c16' is not read"),
    "an NPY of another version": ("", changed(TABLE, 6), "byte 6: is NPY of version"),
    "a cut gzip of NPY": ("", gzip.compress(TABLE)[:-12], ": the gzip file is cut off after"),
    # IDX
    "a cut IDX header": ("format=idx", b"\0\0\x08", "ends at byte 3, where 1 more were expected"),
    "a cut IDX": ("", idx((4, 2), range(7)), "ends at byte 19, where 1 more were expected by its IDX header"),
    "2^32 x 2^32": ("", idx((0xffffffff, 0xffffffff)), "byte 4: has too many rows, the limit is"),
    "no type of IDX": ("format=idx", b"\0\0\x07\x01\0\0\0\x01x", "byte 0: not IDX, it begins with 00 00 07 01"),
    "nine dimensions": ("", idx((1,) * 9, b"x"), "byte 3: has 9 dimensions, 1 to 5 are read"),
}

X, Y = idx((6, 2, 2), range(24)), idx((6,), [0, 1, 2, 0, 1, 2])

# x, y, and what has to be said; of labels that are at fault x waits for others.
PAIRS = {
    "a cut x": (X[:-1], Y, "x: ends at byte 39, where 1 more"),
    "x is a cut gzip": (gzip.compress(X)[:-9], Y, "the gzip file is cut off after"),
    "x is infinite": (idx((2, 1), struct.pack(">2d", 1, float("inf")), 0x0e), idx((2,), b"\0\1"),
                      "x: byte 20: an infinite number in row 2"),
    "x has 2^32 rows": (idx((0xffffffff, 4)), Y, "x: byte 4: has too many rows"),
    "x is a packed CSV": (PACKED, Y, "x: byte 0: neither NPY nor IDX"),
    "x is a bomb": (zstd_of_one(b"\n", 70), Y, "x: byte 0: neither NPY nor IDX"),
    "x has no rows": (npy((0, 2)), npy((0,)), "x: byte 61: dimension 0 is 0"),
    "cut labels": (X, Y[:-1], "labels: ends at byte 13, where 1 more"),
    "labels are a cut gzip": (X, gzip.compress(Y)[:-9], "labels: byte"),
    "labels without rows": (X, idx((7,), range(7)), "x has 6 rows, there are 7 labels (byte 4 of x"),
    "labels of two dimensions": (X, idx((6, 2), range(12)), "labels: byte 4: have 2 dimensions, one is expected"),
    "2^63 labels": (npy((2, 2), 1, 2, 3, 4), npy((1 << 63,), 1), "labels: byte 61: has too many rows"),
    "infinite labels": (idx((2, 1), b"ab"), idx((2,), struct.pack(">2d", 1, float("inf")), 0x0e),
                        "labels: byte 16: an infinite number in row 2"),
}

# What is not a fault, and how many rows it has.
FINE = {
    "a trailing empty line": ("", "a,b\n1,2\n3,4\n\n", 2),
    "no line end at all": ("", "a,b\n1,2\n3,4", 2),
    "a missing number": ("", "a,b\n1,2\nnan,4\n,5\n", 3),
    "a trailing empty line of svmlight": ("", "1 1:2\n0 1:3\n\n", 2),
    "NaN in NPY": ("", npy((2, 2), 1, 2, float("nan"), 4), 2),
    "a much repeated small file": ("", gzip.compress(b"0,1\n" * 1000000, 9), 1000000),
}


def files(server):
    return sorted(os.path.join(at, name) for at, folders, names in os.walk(server.directory)
                  for name in folders + names if not name.startswith("ockham.db"))


@pytest.fixture(scope="module")
def server():
    with Server() as s:
        s.nothing = files(s)
        yield s


def put(server, path, body):
    return server.call("PUT", f"/v1/datasets/{path}", body)


def check_nothing_stays(server):
    assert server.call("GET", "/v1/datasets/bad").status == 404
    assert files(server) == server.nothing


def train(tmp_path, *data, **options):
    """Its one line; the directory is as it was."""
    paths = [tmp_path / f"file{i}" for i in range(len(data))]
    for path, body in zip(paths, data):
        path.write_bytes(body if isinstance(body, bytes) else body.encode())
    (tmp_path / "job.json").write_text('{"train": {"epochs": 1}}')
    before = sorted(os.listdir(tmp_path))
    told = run("train", tmp_path / "job.json", "--data", ",".join(map(str, paths)),
               *(f"--{name}={value}" for name, value in options.items()),
               env={"TMPDIR": str(tmp_path)})
    assert told.returncode == 1 and told.stdout == ""
    assert sorted(os.listdir(tmp_path)) == before
    return told.stderr


@pytest.mark.parametrize("name", TABLES)
def test_a_faulty_table(server, tmp_path, name):
    query, body, says = TABLES[name]
    answer = put(server, f"bad?{query.replace(';', '%3B')}", body)
    is_problem(answer, 422, "invalid_data")
    assert says in answer.json["detail"]
    check_nothing_stays(server)
    option = query.split("=") if query else []
    if option[:1] != ["format"]:
        assert says in train(tmp_path, body, **({option[0]: option[1]} if option else {}))


@pytest.mark.parametrize("first", ["x", "y"])
@pytest.mark.parametrize("name", PAIRS)
def test_a_faulty_pair(server, tmp_path, name, first):
    """Whichever part came first: if it is the bad one, it does not hold the name."""
    x, y, says = PAIRS[name]
    parts = {"x": x, "y": y}
    second = "y" if first == "x" else "x"
    assert put(server, f"bad/{first}", parts[first]).json["status"] == "incomplete"
    answer = put(server, f"bad/{second}", parts[second])
    is_problem(answer, 422, "invalid_data")
    assert says in answer.json["detail"]
    is_first_bad = says.startswith("x: " if first == "x" else "labels: ") or \
        says.startswith("the gzip") and first == "x"
    if not is_first_bad:
        left = server.call("GET", "/v1/datasets/bad").json
        assert left["status"] == "incomplete"
        assert server.call("DELETE", "/v1/datasets/bad").status == 204
    assert ("neither part is kept" in answer.json["detail"]) == is_first_bad
    check_nothing_stays(server)
    if first == "x":
        assert says in train(tmp_path, x, y)


@pytest.mark.parametrize("name", FINE)
def test_what_is_no_fault(server, name):
    query, body, rows = FINE[name]
    answer = put(server, f"bad?{query}", body)
    assert answer.status == 201 and answer.json["rows"] == rows, answer.data
    assert server.call("DELETE", "/v1/datasets/bad").status == 204
    check_nothing_stays(server)
