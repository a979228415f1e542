"""Products of matrices.

The second is packed into panels: each holds, row by row, as many columns as a tile of the product has. A tile is some rows and a
panel's columns, and stays in the registers of the processor while the sum runs over the depth. What the compiler makes of plain
loops does not, and is several times slower. Nor has this to look for the best way as a library of products does, which
takes matrices of every size and is slower at those that layers have.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad._arrays.host.compiling import kernel, part
from minigrad._arrays.host.threads import share
from minigrad._arrays.host.tiles import REGISTERS, VECTOR, matrix_tile, transpose_tile

__all__ = ["multiply", "pack", "padded", "product"]

WIDE = 4 if REGISTERS == 32 else 2  # vectors of a row of a tile, which has up to four rows
DEPTH = 512  # over which sums run at a time: so much of a panel stays in the cache, and long sums keep their digits
ROWS = 64  # of a product, at a time


def padded(columns: int, dtype: Any) -> int:
    """How many columns whole panels have for so many."""
    width: int = WIDE * VECTOR // np.dtype(dtype).itemsize
    return -(-columns // width) * width


def pack(matrix: Any) -> Any:
    """The panels of a matrix (depth, columns): an array (panels, depth, columns of one), with zeros at the end of the last."""
    depth, columns = matrix.shape
    width = padded(1, matrix.dtype)
    panels = np.empty((padded(columns, matrix.dtype) // width, depth, width), matrix.dtype)
    if matrix.strides[0] >= matrix.strides[1]:
        share(fill_by_rows, len(panels), matrix, panels)
    else:
        share(fill_by_columns, len(panels), np.ascontiguousarray(matrix.T), panels)
    return panels


@kernel
def fill_by_rows(matrix: Any, panels: Any, begin: int, end: int) -> None:
    """Write panels of `matrix`."""
    width = panels.shape[2]
    for p in range(begin, end):
        for k in range(matrix.shape[0]):
            row, part = matrix[k, p * width:(p + 1) * width], panels[p, k]
            for j in range(row.size):
                part[j] = row[j]
            part[row.size:] = 0


@kernel
def fill_by_columns(columns: Any, panels: Any, begin: int, end: int) -> None:
    """Write panels of a matrix of these `columns`, most of it in squares that are transposed in registers."""
    width, lanes = panels.shape[2], VECTOR // columns.itemsize
    square, depth = np.empty(lanes * lanes, columns.dtype), columns.shape[1] // lanes * lanes
    for p in range(begin, end):
        panel, n = panels[p], min(columns.shape[0] - p * width, width)
        whole = n // lanes * lanes
        for k in range(0, depth, lanes):
            for j in range(0, whole, lanes):
                transpose_tile(columns, (p * width + j) * columns.shape[1] + k, columns.shape[1], square, 0)
                for i in range(lanes):
                    line, part = square[i * lanes:(i + 1) * lanes], panel[k + i, j:j + lanes]
                    for m in range(line.size):
                        part[m] = line[m]
        for j in range(n):
            column = columns[p * width + j]
            for k in range(depth if j < whole else 0, panel.shape[0]):
                panel[k, j] = column[k]
        panel[:, n:] = 0


four, two, one = matrix_tile(4, WIDE), matrix_tile(2, WIDE), matrix_tile(1, WIDE)


@part
def product_with_panel(a: Any, panel: Any, out: Any) -> None:
    """Write the product of the rows of `a` with one panel to `out`."""
    row, step, out_row = a.strides[0] // a.itemsize, a.strides[1] // a.itemsize, out.strides[0] // out.itemsize
    width = panel.shape[1]
    for k in range(0, panel.shape[0], DEPTH):
        depth, more, r = min(panel.shape[0] - k, DEPTH), k > 0, 0
        while r + 4 <= a.shape[0]:
            four(a, r * row + k * step, row, step, panel, k * width, depth, out, r * out_row, out_row, more)
            r += 4
        if r + 2 <= a.shape[0]:
            two(a, r * row + k * step, row, step, panel, k * width, depth, out, r * out_row, out_row, more)
            r += 2
        if r < a.shape[0]:
            one(a, r * row + k * step, row, step, panel, k * width, depth, out, r * out_row, out_row, more)


@part
def product(a: Any, panels: Any, out: Any) -> None:
    """Write the product of the rows of `a` with the packed matrix to `out`, which has whole panels of columns."""
    width = panels.shape[2]
    for p in range(panels.shape[0]):
        product_with_panel(a, panels[p], out[:, p * width:])


@kernel
def multiply(out: Any, a: Any, panels: Any, begin: int, end: int) -> None:
    """The rows from `begin` to `end` of the product of `a` with the packed matrix. Those of a transposed matrix are copied, some
    at a time: what lies in one line of the cache is then read together."""
    width, whole = panels.shape[2], out.shape[1] // panels.shape[2]
    across = a.strides[0] < a.strides[1]
    rest, copied = np.empty((ROWS, width), out.dtype), np.empty((a.shape[1] if across else 0, ROWS), a.dtype)
    for row in range(begin, end, ROWS):
        n = min(end - row, ROWS)
        rows, made = a[row:row + n, :], out[row:row + n]
        if across:
            for k in range(a.shape[1]):
                column, part = rows[:, k], copied[k]
                for r in range(column.size):
                    part[r] = column[r]
            rows = copied.T[:n, :]
        product(rows, panels[:whole], made)
        if whole < panels.shape[0]:
            product_with_panel(rows, panels[whole], rest[:, :])
            for r in range(n):
                line, part = rest[r], made[r, whole * width:]
                for j in range(part.size):
                    part[j] = line[j]
