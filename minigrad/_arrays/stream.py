"""NumPy's random stream, and its state as bytes."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.errors import RuntimeValueError


def new_stream(seed: int) -> Any:
    """The stream of random numbers that belongs to `seed`. SFC64 is the fastest of NumPy's generators."""
    return np.random.Generator(np.random.SFC64(seed))


def stream_state(seed: int, stream: Any) -> Any:
    """The state of `stream`, and the seed it was started from, as an array of bytes."""
    state = stream.bit_generator.state
    words = [seed, *state["state"]["state"].tolist(), state["has_uint32"], state["uinteger"]]
    return np.array(words, dtype="<u8").view(np.uint8)


def stream_from_state(state: Any) -> tuple[int, Any]:
    """The seed and the stream that :func:`stream_state` made `state` of."""
    if state.shape != (56,):
        raise RuntimeValueError(f"the state of a generator has 56 bytes, this tensor has shape {list(state.shape)}; "
                                "pass what get_state() returned")
    seed, *words, has_uint32, uinteger = np.ascontiguousarray(state).view("<u8").tolist()
    stream = new_stream(0)
    stream.bit_generator.state = {"bit_generator": "SFC64", "state": {"state": np.array(words, dtype=np.uint64)},
                                  "has_uint32": has_uint32, "uinteger": uinteger}
    return seed, stream
