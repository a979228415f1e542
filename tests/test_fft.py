"""``minigrad.fft`` and the short-time transforms: against NumPy by sizes, dimensions and scaling; and against PyTorch."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import fft

RNG = np.random.default_rng(3)
REAL = RNG.normal(size=(3, 4, 5))
COMPLEX = REAL + 1j * RNG.normal(size=REAL.shape)
ONE = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
MANY = ["fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn"]
OF_REAL = {"rfft", "ihfft", "rfft2", "rfftn", "ihfft2", "ihfftn"}
WINDOW = np.hanning(9)[:8]


def taken_by(name: str) -> Any:
    return REAL if name in OF_REAL else COMPLEX


# ---------------------------------------------------------------------------------------------------- transforms

@pytest.mark.parametrize("name", ONE)
def test_one_dimension_is_numpys(name: str) -> None:
    x = taken_by(name)
    for n, dim, norm in itertools.product((None, 1, 3, 4, 6, 7), (-1, 0, 1), (None, "backward", "ortho", "forward")):
        if n is None and x.shape[dim] == 1:
            continue
        found = getattr(fft, name)(mg.tensor(x), n, dim, norm)
        np.testing.assert_allclose(found.numpy(), getattr(np.fft, name)(x, n, dim, norm), atol=1e-12, err_msg=f"{n} {dim} {norm}")


@pytest.mark.parametrize("name", MANY)
def test_several_dimensions_are_numpys(name: str) -> None:
    x = taken_by(name)
    np.testing.assert_allclose(getattr(fft, name)(mg.tensor(x), 6, 0).numpy(), getattr(np.fft, name)(x, (6,), (0,)), atol=1e-12)
    for s, dim, norm in itertools.product((None, (4, 3), (2, 6)), ((-2, -1), (0, 1), (2, 0)), (None, "ortho", "forward")):
        found = getattr(fft, name)(mg.tensor(x), s, dim, norm)
        np.testing.assert_allclose(found.numpy(), getattr(np.fft, name)(x, s, dim, norm), atol=1e-12, err_msg=f"{s} {dim} {norm}")


@pytest.mark.parametrize("name", [*ONE, *MANY])
def test_dtypes(name: str) -> None:
    x, transform = mg.tensor(taken_by(name)), getattr(fft, name)
    narrow = transform(x.to(mg.complex64 if x.is_complex() else mg.float32))
    assert narrow.dtype is (mg.complex64 if transform(x).is_complex() else mg.float32)
    np.testing.assert_allclose(narrow.numpy(), transform(x).numpy(), rtol=1e-4, atol=1e-4)
    assert transform(mg.ones(3, 4, dtype=mg.int64)).dtype is narrow.dtype  # integers are of the default dtype
    with pytest.raises(RuntimeError, match=r"Unsupported dtype minigrad\.float16.*\.float\(\)"):
        transform(mg.ones(3, 4, dtype=mg.float16))


@pytest.mark.parametrize(("there", "back"), [("fft", "ifft"), ("fft2", "ifft2"), ("fftn", "ifftn"), ("rfft", "irfft"),
                                             ("rfft2", "irfft2"), ("rfftn", "irfftn"), ("ihfft", "hfft"), ("ihfft2", "hfft2"),
                                             ("ihfftn", "hfftn")])
def test_there_and_back_again(there: str, back: str) -> None:
    x = mg.tensor(taken_by(there))
    for norm in (None, "ortho", "forward"):
        middle = getattr(fft, there)(x, norm=norm)
        size = {"fft": {}, "ifft": {}}.get(back, {"n": 5} if back in ONE else {"s": (*x.shape[-2:],) if "2" in back else x.shape})
        np.testing.assert_allclose(getattr(fft, back)(middle, norm=norm, **size).numpy(), x.numpy(), atol=1e-12)


def test_the_hermitian_transforms_are_the_others_of_the_conjugate() -> None:
    x = mg.tensor(COMPLEX)
    np.testing.assert_allclose(fft.hfftn(x, (4, 6), (0, 2)).numpy(), fft.irfftn(x.conj(), (4, 6), (0, 2), "forward").numpy())
    np.testing.assert_allclose(fft.ihfft2(x.real).numpy(), fft.rfft2(x.real, norm="forward").conj().numpy())


def test_gradients_through_sizes_and_mixed_kinds() -> None:
    def chain(x: Any) -> Any:
        spectrum = fft.rfft(x, 7) * fft.fft(x, 4, dim=0)[:1].sum()
        return fft.irfft2(spectrum, (3, 5))
    mg.autograd.gradcheck(chain, (mg.tensor(REAL[0], requires_grad=True),))
    mg.autograd.gradgradcheck(chain, (mg.tensor(REAL[0], requires_grad=True),))
    z = mg.tensor(COMPLEX[0], requires_grad=True)
    mg.autograd.gradcheck(lambda z: mg.view_as_real(fft.ifft(fft.fftshift(fft.fft(z, 6)), norm="ortho")), (z,))
    mg.autograd.gradcheck(lambda z: fft.hfft(z, 6) * fft.irfft(z, 6), (z,))


def test_names_of_the_nodes_are_pytorchs() -> None:
    x, z = mg.tensor(REAL, requires_grad=True), mg.tensor(COMPLEX, requires_grad=True)
    assert [f(v).grad_fn.name() for f, v in ((fft.rfft, x), (fft.fft, x), (fft.fft, z), (fft.irfft, z))] == [
        "FftR2CBackward0", "FftR2CBackward0", "FftC2CBackward0", "FftC2RBackward0"]


def test_out_is_written() -> None:
    out = mg.empty(0, dtype=mg.complex128)
    assert fft.fft(mg.tensor(REAL), out=out) is out and out.shape == (3, 4, 5)
    out.resize_(0)
    assert fft.ihfft(mg.tensor(REAL), out=out) is out and out.shape == (3, 4, 3)


@pytest.mark.parametrize(("call", "error", "match"), [
    (lambda x: fft.rfft(x + 1j), RuntimeError, r"rfft expects a real input tensor, but got minigrad\.complex128; take \.real"),
    (lambda x: fft.fft(x, 0), RuntimeError, r"fft\.fft: Invalid number of data points \(0\) specified"),
    (lambda x: fft.irfft(x[:, :1]), RuntimeError, r"Invalid number of data points \(0\) specified"),
    (lambda x: fft.fft(x, norm="half"), RuntimeError, r'Invalid normalization mode: "half"; it can be'),
    (lambda x: fft.fft(x, dim=2), IndexError, r"Dimension out of range.*got 2"),
    (lambda x: fft.fftn(x, dim=(0, 0)), RuntimeError, r"FFT dims must be unique"),
    (lambda x: fft.fftn(x, (2,), (0, 1)), RuntimeError, r"dim and shape arguments must have the same length"),
    (lambda x: fft.fftn(x, (2, 2, 2)), RuntimeError, r"Got shape with 3 values but input tensor only has 2 dimensions"),
    (lambda x: fft.rfftn(x, dim=()), RuntimeError, r"rfftn must transform at least one axis"),
    (lambda x: fft.fft([1.0]), TypeError, r"fft\.fft\(\): argument 'input' must be a Tensor, not list")])
def test_what_is_wrong_is_said(call: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call(mg.tensor(REAL[0]))


def test_frequencies_and_shifts() -> None:
    for n in (1, 4, 5):
        np.testing.assert_allclose(fft.fftfreq(n, 0.5).numpy(), np.fft.fftfreq(n, 0.5))
        np.testing.assert_allclose(fft.rfftfreq(n, 0.5, dtype=mg.float64).numpy(), np.fft.rfftfreq(n, 0.5))
    assert fft.fftfreq(3).dtype is mg.float32 and fft.fftfreq(3, requires_grad=True).requires_grad
    x = mg.tensor(REAL)
    for dim in (None, 1, (0, -1), ()):
        np.testing.assert_array_equal(fft.fftshift(x, dim).numpy(), np.fft.fftshift(REAL, dim))
        np.testing.assert_array_equal(fft.ifftshift(x, dim).numpy(), np.fft.ifftshift(REAL, dim))


# ---------------------------------------------------------------------------------------------------- short-time transforms

def test_stft_is_the_transform_of_each_frame() -> None:
    x = RNG.normal(size=20)
    frames = np.stack([x[k:k + 8] * WINDOW for k in range(0, 13, 3)])
    found = mg.stft(mg.tensor(x), 8, 3, window=mg.tensor(WINDOW), center=False, return_complex=True)
    np.testing.assert_allclose(found.numpy(), np.fft.rfft(frames).T, atol=1e-12)
    padded = np.pad(x, 4, mode="reflect")
    frames = np.stack([padded[k:k + 8] for k in range(0, 21, 2)])
    found = mg.tensor(np.stack([x, -x])).stft(8, normalized=True, onesided=False, return_complex=False)
    np.testing.assert_allclose(mg.view_as_complex(found)[1].numpy(), -np.fft.fft(frames).T / np.sqrt(8), atol=1e-12)


@pytest.mark.parametrize("settings", [{}, {"hop_length": 3}, {"normalized": True}, {"win_length": 6}, {"onesided": False}])
def test_istft_inverts_stft(settings: dict[str, Any]) -> None:
    x, window = mg.tensor(RNG.normal(size=(2, 24))), mg.tensor(np.hanning(settings.get("win_length", 8) + 2)[1:-1])
    settings = {"window": window, **settings}
    back = mg.istft(mg.stft(x, 8, return_complex=True, **settings), 8, length=24, **settings)
    np.testing.assert_allclose(back.numpy(), x.numpy(), atol=1e-12)


def test_istft_of_complex_signals() -> None:
    z = mg.tensor(RNG.normal(size=24) + 1j * RNG.normal(size=24))
    window = mg.tensor(WINDOW)
    back = z.stft(8, window=window).istft(8, window=window, return_complex=True)
    np.testing.assert_allclose(back.numpy(), z.numpy(), atol=1e-12)


def test_short_time_transforms_have_derivatives() -> None:
    x, window = mg.tensor(RNG.normal(size=12), requires_grad=True), mg.tensor(WINDOW + 0.1, requires_grad=True)
    mg.autograd.gradcheck(lambda x, w: x.stft(8, 3, window=w, return_complex=True).abs(), (x, window))
    mg.autograd.gradcheck(lambda x, w: x.stft(8, 3, window=w, return_complex=True).istft(8, 3, window=w), (x, window))


@pytest.mark.parametrize(("call", "error", "match"), [
    (lambda x: mg.stft(x, 8), RuntimeError, r"stft: requires the return_complex parameter be given for real inputs"),
    (lambda x: mg.stft(x, 8, 0, return_complex=True), RuntimeError, r"stft: expected hop_length > 0"),
    (lambda x: mg.stft(x, 8, win_length=9, return_complex=True), RuntimeError, r"0 < win_length <= n_fft, but got win_length=9"),
    (lambda x: mg.stft(x, 8, window=x, return_complex=True), RuntimeError, r"equal to win_length=8, but got window with size"),
    (lambda x: mg.stft(x, 40, center=False, return_complex=True), RuntimeError, r"expected 0 < n_fft <= 20, but got n_fft=40"),
    (lambda x: mg.stft(x + 0j, 8, onesided=True), RuntimeError, r"Cannot have onesided output if window or input is complex"),
    (lambda x: mg.istft(x, 8), TypeError, r"istft requires a complex-valued input tensor"),
    (lambda x: mg.istft(mg.ones(4, 3) + 0j, 8), RuntimeError, r"istft: expected the frequency dimension.*got 4 for n_fft=8"),
    (lambda x: mg.istft(mg.ones(5, 3) + 0j, 8, window=mg.zeros(8)), RuntimeError, r"istft: window overlap add min.*leave an")])
def test_what_is_wrong_in_frames_is_said(call: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call(mg.tensor(RNG.normal(size=20)))


def test_a_signal_shorter_than_its_length_is_hinted_at() -> None:
    with pytest.warns(UserWarning, match="shorter than the length parameter") as caught:
        mg.istft(mg.ones(5, 3) + 0j, 8, length=40)
    assert caught[0].filename == __file__


# ---------------------------------------------------------------------------------------------------- PyTorch

def results(m: Any, function: Any, array: Any) -> list[Any]:
    """What `function` gives, and first and second derivatives of a number made of it."""
    x = m.tensor(array, requires_grad=True)
    y = function(m, x)
    weights = m.tensor(np.cos(np.arange(y.numel())).reshape(tuple(y.shape)))
    first, = m.autograd.grad((y.abs() ** 2 * weights).sum(), [x], create_graph=True)
    second, = m.autograd.grad((first.abs() ** 2).sum(), [x])
    return [t.detach().resolve_conj().numpy() for t in (y, first, second)]


@pytest.mark.parity
@pytest.mark.parametrize("name", [*ONE, "hfft2", "ihfft2", "hfftn", "ihfftn", *MANY])
def test_values_and_derivatives_are_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    sizes = (None, 3, 6) if name in ONE else (None, (4, 3), (-1, 6))
    for s, norm, x in itertools.product(sizes, (None, "ortho", "forward"), {id(a): a for a in (REAL, taken_by(name))}.values()):
        found, expected = [results(m, lambda m, x, s=s, norm=norm: getattr(m.fft, name)(x, s, norm=norm), x) for m in (mg, torch)]
        for a, b in zip(found, expected):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9, err_msg=f"{name} {s} {norm}")


@pytest.mark.parity
def test_short_time_transforms_are_pytorchs() -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    signal = RNG.normal(size=(2, 24))
    for hop, length, center, normalized, onesided in itertools.product((None, 3), (None, 6), (True, False), (True, False),
                                                                       (None, False)):
        def there(m: Any, x: Any, *settings: Any) -> Any:
            hop, length, center, normalized, onesided = settings
            window = m.tensor(np.hamming(length or 8))
            return m.stft(x, 8, hop, length, window, center, "reflect", normalized, onesided, True)

        def back(m: Any, z: Any, *settings: Any) -> Any:
            hop, length, center, normalized, onesided = settings
            window = m.tensor(np.hamming(length or 8))
            return m.istft(z, 8, hop, length, window, True, normalized, onesided, 20)
        settings = (hop, length, center, normalized, onesided)
        spectrum = there(torch, torch.tensor(signal), hop, length, True, normalized, onesided).resolve_conj().numpy()
        for function, x in ((there, signal), (back, spectrum)):
            found, expected = [results(m, lambda m, x, f=function, s=settings: f(m, x, *s), x) for m in (mg, torch)]
            for a, b in zip(found, expected):
                np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9, err_msg=str(settings))


def test_a_size_that_is_no_number_of_elements_is_refused() -> None:
    for name in ONE:
        for n in (-1, 0):
            with pytest.raises(RuntimeError, match=rf"Invalid number of data points \({n}\)"):
                getattr(fft, name)(mg.ones(4), n)
    assert fft.fftn(mg.ones(4, 2), s=(-1, 2)).shape == (4, 2)
