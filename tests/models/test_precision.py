import pytest

PROCESSORS = {
    "AuthenticAMD ... avx512_bf16": True,
    "GenuineIntel ... avx512_bf16": False,
    "GenuineIntel ... avx512_bf16 amx_bf16": True,
    "GenuineIntel ... avx2": False,
}


@pytest.mark.parametrize(("flags", "gains"), PROCESSORS.items())
def test_auto_asks_the_processor(monkeypatch, tmp_path, flags, gains):
    from mnist_kedro.models import precision

    (tmp_path / "cpuinfo").write_text(flags)
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
    assert precision.dtype_policy("auto") == ("mixed_bfloat16" if gains else "float32")


def test_auto_is_float32_where_the_processor_does_not_say(monkeypatch, tmp_path):
    from mnist_kedro.models import precision

    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "missing")
    assert precision.dtype_policy("auto") == "float32"


@pytest.mark.parametrize(("asked", "policy"), [(True, "mixed_bfloat16"), (False, "float32")])
def test_the_parameter_decides_otherwise(asked, policy):
    from mnist_kedro.models import precision

    assert precision.dtype_policy(asked) == policy
