"""The text of a tensor, compared with what PyTorch prints (``torch.`` read as ``minigrad.``)."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest

import minigrad as mg
from tests import standin

CASES = {
    "tensor(1.5)":
        "tensor(1.5000)",
    "tensor(3)":
        "tensor(3)",
    "tensor(True)":
        "tensor(True)",
    "tensor([])":
        "tensor([])",
    "tensor([], dtype=int64)":
        "tensor([], dtype=minigrad.int64)",
    "zeros(0, 3)":
        "tensor([], size=(0, 3))",
    "zeros(2, 0, dtype=bool)":
        "tensor([], size=(2, 0), dtype=minigrad.bool)",
    "tensor([1., 2.])":
        "tensor([1., 2.])",
    "tensor([1., 2.5])":
        "tensor([1.0000, 2.5000])",
    "tensor([[1, -20], [300, 4]])":
        "tensor([[  1, -20],\n"
        "        [300,   4]])",
    "tensor([True, False])":
        "tensor([ True, False])",
    "tensor([1.0, nan, inf, -inf])":
        "tensor([1., nan, inf, -inf])",
    "tensor([1.5, nan, -inf])":
        "tensor([1.5000,    nan,   -inf])",
    "tensor([nan, nan])":
        "tensor([nan, nan])",
    "tensor([0., -0.])":
        "tensor([0., -0.])",
    "tensor([1e-5, 1.])":
        "tensor([1.0000e-05, 1.0000e+00])",
    "tensor([1e-5, 2e-5])":
        "tensor([1.0000e-05, 2.0000e-05])",
    "tensor([1000., 1.5])":
        "tensor([1000.0000,    1.5000])",
    "tensor([1000.5, 1.])":
        "tensor([1.0005e+03, 1.0000e+00])",
    "tensor([1001., 1.])":
        "tensor([1.0010e+03, 1.0000e+00])",
    "tensor([1e8, 1.5e8])":
        "tensor([1.0000e+08, 1.5000e+08])",
    "tensor([2e8, 1e8])":
        "tensor([2.0000e+08, 1.0000e+08])",
    "tensor([123456., 234567.])":
        "tensor([123456., 234567.])",
    "tensor([0.1, 12.34567])":
        "tensor([ 0.1000, 12.3457])",
    "tensor(1e10)":
        "tensor(1.0000e+10)",
    "tensor(1e-10)":
        "tensor(1.0000e-10)",
    "tensor(123456789)":
        "tensor(123456789)",
    "tensor([65504., 1.], dtype=float16)":
        "tensor([6.5504e+04, 1.0000e+00], dtype=minigrad.float16)",
    "tensor([1.], dtype=float64)":
        "tensor([1.], dtype=minigrad.float64)",
    "tensor([1, 2], dtype=int32)":
        "tensor([1, 2], dtype=minigrad.int32)",
    "tensor([255], dtype=uint8)":
        "tensor([255], dtype=minigrad.uint8)",
    "tensor(1+2j)":
        "tensor(1.+2.j)",
    "tensor([1+2j, -1.5-0.25j])":
        "tensor([ 1.0000+2.0000j, -1.5000-0.2500j])",
    "tensor([1+0j, 2-0j], dtype=complex128)":
        "tensor([1.+0.j, 2.+0.j], dtype=minigrad.complex128)",
    "tensor([1e-6+1j, 100-2j])":
        "tensor([1.0000e-06+1.j, 1.0000e+02-2.j])",
    "tensor([1.], requires_grad=True)":
        "tensor([1.], requires_grad=True)",
    "tensor([1.], requires_grad=True) * 2":
        "tensor([2.], grad_fn=<MulBackward0>)",
    "tensor([[1.]], requires_grad=True).sum()":
        "tensor(1., grad_fn=<SumBackward0>)",
    "tensor([1., 2.], requires_grad=True, dtype=float64).exp()":
        "tensor([2.7183, 7.3891], dtype=minigrad.float64, grad_fn=<ExpBackward0>)",
    "arange(30)":
        "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,\n"
        "        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])",
    "arange(1001)":
        "tensor([   0,    1,    2,  ...,  998,  999, 1000])",
    "arange(1000).reshape(10, 100)[:, :3].reshape(5, 6)":
        "tensor([[  0,   1,   2, 100, 101, 102],\n"
        "        [200, 201, 202, 300, 301, 302],\n"
        "        [400, 401, 402, 500, 501, 502],\n"
        "        [600, 601, 602, 700, 701, 702],\n"
        "        [800, 801, 802, 900, 901, 902]])",
    "arange(24.).reshape(2, 3, 4)":
        "tensor([[[ 0.,  1.,  2.,  3.],\n"
        "         [ 4.,  5.,  6.,  7.],\n"
        "         [ 8.,  9., 10., 11.]],\n"
        "\n"
        "        [[12., 13., 14., 15.],\n"
        "         [16., 17., 18., 19.],\n"
        "         [20., 21., 22., 23.]]])",
    "zeros(2, 1, 2, 1)":
        "tensor([[[[0.],\n"
        "          [0.]]],\n"
        "\n"
        "\n"
        "        [[[0.],\n"
        "          [0.]]]])",
    "ones(30, 40)":
        "tensor([[1., 1., 1.,  ..., 1., 1., 1.],\n"
        "        [1., 1., 1.,  ..., 1., 1., 1.],\n"
        "        [1., 1., 1.,  ..., 1., 1., 1.],\n"
        "        ...,\n"
        "        [1., 1., 1.,  ..., 1., 1., 1.],\n"
        "        [1., 1., 1.,  ..., 1., 1., 1.],\n"
        "        [1., 1., 1.,  ..., 1., 1., 1.]])",
    "arange(2000.).reshape(2, 1000)":
        "tensor([[0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 9.9700e+02, 9.9800e+02,\n"
        "         9.9900e+02],\n"
        "        [1.0000e+03, 1.0010e+03, 1.0020e+03,  ..., 1.9970e+03, 1.9980e+03,\n"
        "         1.9990e+03]])",
    "arange(1100).reshape(11, 10, 10)":
        "tensor([[[   0,    1,    2,  ...,    7,    8,    9],\n"
        "         [  10,   11,   12,  ...,   17,   18,   19],\n"
        "         [  20,   21,   22,  ...,   27,   28,   29],\n"
        "         ...,\n"
        "         [  70,   71,   72,  ...,   77,   78,   79],\n"
        "         [  80,   81,   82,  ...,   87,   88,   89],\n"
        "         [  90,   91,   92,  ...,   97,   98,   99]],\n"
        "\n"
        "        [[ 100,  101,  102,  ...,  107,  108,  109],\n"
        "         [ 110,  111,  112,  ...,  117,  118,  119],\n"
        "         [ 120,  121,  122,  ...,  127,  128,  129],\n"
        "         ...,\n"
        "         [ 170,  171,  172,  ...,  177,  178,  179],\n"
        "         [ 180,  181,  182,  ...,  187,  188,  189],\n"
        "         [ 190,  191,  192,  ...,  197,  198,  199]],\n"
        "\n"
        "        [[ 200,  201,  202,  ...,  207,  208,  209],\n"
        "         [ 210,  211,  212,  ...,  217,  218,  219],\n"
        "         [ 220,  221,  222,  ...,  227,  228,  229],\n"
        "         ...,\n"
        "         [ 270,  271,  272,  ...,  277,  278,  279],\n"
        "         [ 280,  281,  282,  ...,  287,  288,  289],\n"
        "         [ 290,  291,  292,  ...,  297,  298,  299]],\n"
        "\n"
        "        ...,\n"
        "\n"
        "        [[ 800,  801,  802,  ...,  807,  808,  809],\n"
        "         [ 810,  811,  812,  ...,  817,  818,  819],\n"
        "         [ 820,  821,  822,  ...,  827,  828,  829],\n"
        "         ...,\n"
        "         [ 870,  871,  872,  ...,  877,  878,  879],\n"
        "         [ 880,  881,  882,  ...,  887,  888,  889],\n"
        "         [ 890,  891,  892,  ...,  897,  898,  899]],\n"
        "\n"
        "        [[ 900,  901,  902,  ...,  907,  908,  909],\n"
        "         [ 910,  911,  912,  ...,  917,  918,  919],\n"
        "         [ 920,  921,  922,  ...,  927,  928,  929],\n"
        "         ...,\n"
        "         [ 970,  971,  972,  ...,  977,  978,  979],\n"
        "         [ 980,  981,  982,  ...,  987,  988,  989],\n"
        "         [ 990,  991,  992,  ...,  997,  998,  999]],\n"
        "\n"
        "        [[1000, 1001, 1002,  ..., 1007, 1008, 1009],\n"
        "         [1010, 1011, 1012,  ..., 1017, 1018, 1019],\n"
        "         [1020, 1021, 1022,  ..., 1027, 1028, 1029],\n"
        "         ...,\n"
        "         [1070, 1071, 1072,  ..., 1077, 1078, 1079],\n"
        "         [1080, 1081, 1082,  ..., 1087, 1088, 1089],\n"
        "         [1090, 1091, 1092,  ..., 1097, 1098, 1099]]])",
    "linspace(0, 1, 12)":
        "tensor([0.0000, 0.0909, 0.1818, 0.2727, 0.3636, 0.4545, 0.5455, 0.6364, 0.7273,\n"
        "        0.8182, 0.9091, 1.0000])",
    "linspace(-1, 1, 5, dtype=float64).reshape(5, 1)":
        "tensor([[-1.0000],\n"
        "        [-0.5000],\n"
        "        [ 0.0000],\n"
        "        [ 0.5000],\n"
        "        [ 1.0000]], dtype=minigrad.float64)",
    "full((3,), -1e-8)":
        "tensor([-1.0000e-08, -1.0000e-08, -1.0000e-08])",
    "tensor([[[1.5]]])":
        "tensor([[[1.5000]]])",
}
OPTIONS = [
    ({"precision": 2}, "tensor([[1.23456, -200.5], [3e-5, 4.0]])",
     "tensor([[ 1.23e+00, -2.00e+02],\n"
     "        [ 3.00e-05,  4.00e+00]])"),
    ({"precision": 2}, "arange(12.)",
     "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11.])"),
    ({"precision": 2}, "arange(8).reshape(4,2)",
     "tensor([[0, 1],\n"
     "        [2, 3],\n"
     "        [4, 5],\n"
     "        [6, 7]])"),
    ({"sci_mode": True}, "tensor([[1.23456, -200.5], [3e-5, 4.0]])",
     "tensor([[ 1.2346e+00, -2.0050e+02],\n"
     "        [ 3.0000e-05,  4.0000e+00]])"),
    ({"sci_mode": True}, "arange(12.)",
     "tensor([0.0000e+00, 1.0000e+00, 2.0000e+00, 3.0000e+00, 4.0000e+00, 5.0000e+00,\n"
     "        6.0000e+00, 7.0000e+00, 8.0000e+00, 9.0000e+00, 1.0000e+01, 1.1000e+01])"),
    ({"sci_mode": True}, "arange(8).reshape(4,2)",
     "tensor([[0, 1],\n"
     "        [2, 3],\n"
     "        [4, 5],\n"
     "        [6, 7]])"),
    ({"sci_mode": False}, "tensor([[1.23456, -200.5], [3e-5, 4.0]])",
     "tensor([[   1.2346, -200.5000],\n"
     "        [   0.0000,    4.0000]])"),
    ({"sci_mode": False}, "arange(12.)",
     "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11.])"),
    ({"sci_mode": False}, "arange(8).reshape(4,2)",
     "tensor([[0, 1],\n"
     "        [2, 3],\n"
     "        [4, 5],\n"
     "        [6, 7]])"),
    ({"linewidth": 30}, "tensor([[1.23456, -200.5], [3e-5, 4.0]])",
     "tensor([[ 1.2346e+00,\n"
     "         -2.0050e+02],\n"
     "        [ 3.0000e-05,\n"
     "          4.0000e+00]])"),
    ({"linewidth": 30}, "arange(12.)",
     "tensor([ 0.,  1.,  2.,  3.,\n"
     "         4.,  5.,  6.,  7.,\n"
     "         8.,  9., 10., 11.])"),
    ({"linewidth": 30}, "arange(8).reshape(4,2)",
     "tensor([[0, 1],\n"
     "        [2, 3],\n"
     "        [4, 5],\n"
     "        [6, 7]])"),
    ({"threshold": 3, "edgeitems": 1}, "tensor([[1.23456, -200.5], [3e-5, 4.0]])",
     "tensor([[ 1.2346e+00, -2.0050e+02],\n"
     "        [ 3.0000e-05,  4.0000e+00]])"),
    ({"threshold": 3, "edgeitems": 1}, "arange(12.)",
     "tensor([ 0.,  ..., 11.])"),
    ({"threshold": 3, "edgeitems": 1}, "arange(8).reshape(4,2)",
     "tensor([[0, 1],\n"
     "        ...,\n"
     "        [6, 7]])"),
    ({"profile": "short"}, "tensor([[1.23456, -200.5], [3e-5, 4.0]])",
     "tensor([[ 1.23e+00, -2.00e+02],\n"
     "        [ 3.00e-05,  4.00e+00]])"),
    ({"profile": "short"}, "arange(12.)",
     "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11.])"),
    ({"profile": "short"}, "arange(8).reshape(4,2)",
     "tensor([[0, 1],\n"
     "        [2, 3],\n"
     "        [4, 5],\n"
     "        [6, 7]])"),
    ({"profile": "full"}, "tensor([[1.23456, -200.5], [3e-5, 4.0]])",
     "tensor([[ 1.2346e+00, -2.0050e+02],\n"
     "        [ 3.0000e-05,  4.0000e+00]])"),
    ({"profile": "full"}, "arange(12.)",
     "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11.])"),
    ({"profile": "full"}, "arange(8).reshape(4,2)",
     "tensor([[0, 1],\n"
     "        [2, 3],\n"
     "        [4, 5],\n"
     "        [6, 7]])"),
    ({"edgeitems": 0, "threshold": 3}, "tensor([[1.23456, -200.5], [3e-5, 4.0]])",
     "tensor([...], size=(2, 2))"),
    ({"edgeitems": 0, "threshold": 3}, "arange(12.)",
     "tensor([...], size=(12,))"),
    ({"edgeitems": 0, "threshold": 3}, "arange(8).reshape(4,2)",
     "tensor([...], size=(4, 2))"),
]


def evaluated(source: str) -> Any:
    return eval(source, {**vars(mg), "inf": inf, "nan": nan})


@pytest.mark.parametrize("source", CASES)
def test_as_pytorch_prints_it(source: str) -> None:
    assert repr(evaluated(source)) == str(evaluated(source)) == CASES[source]


@pytest.mark.parametrize(("options", "source", "expected"), OPTIONS)
def test_options(options: dict[str, Any], source: str, expected: str) -> None:
    before = mg.get_printoptions()
    with mg.printoptions(**options):
        assert repr(evaluated(source)) == expected
    assert mg.get_printoptions() == before


def test_options_stay_until_changed() -> None:
    mg.set_printoptions(precision=2)
    assert repr(mg.tensor([1.256])) == "tensor([1.26])"
    mg.set_printoptions(profile="default")
    assert repr(mg.tensor([1.256])) == "tensor([1.2560])"
    with pytest.raises(ValueError, match="unknown profile 'big'; there are 'default', 'short', 'full'"):
        mg.set_printoptions(profile="big")


def test_default_dtype_is_left_out() -> None:
    mg.set_default_dtype(mg.float64)
    try:
        assert repr(mg.tensor([1.0])) == "tensor([1.])"
        assert repr(mg.tensor([1.0], dtype=mg.float32)) == "tensor([1.], dtype=minigrad.float32)"
        assert repr(mg.tensor([1j])) == "tensor([0.+1.j])"
    finally:
        mg.set_default_dtype(mg.float32)


def test_notes_that_do_not_fit_go_to_a_line_of_their_own() -> None:
    x = mg.arange(12.0, dtype=mg.float64, requires_grad=True) * 1000
    assert repr(x) == (
        "tensor([    0.,  1000.,  2000.,  3000.,  4000.,  5000.,  6000.,  7000.,  8000.,\n"
        "         9000., 10000., 11000.], dtype=minigrad.float64,\n"
        "       grad_fn=<MulBackward0>)")


def test_other_devices_and_classes_show() -> None:
    class Mine(mg.Tensor):
        pass

    assert repr(mg.ones(1, device=standin.DEVICE)) == "tensor([1.], device='standin:0')"
    assert repr(mg.ones(1).as_subclass(Mine)) == "Mine([1.])"
