"""When to train in bfloat16."""

from pathlib import Path
from typing import Literal

import tensorflow as tf

CPUINFO = Path("/proc/cpuinfo")  # Linux's; elsewhere nothing is known and float32 is used


def dtype_policy(mixed_bfloat16: bool | Literal["auto"]) -> str:
    """The Keras dtype policy to train in; what is saved is float32 either way.

    Args:
        mixed_bfloat16: as in the parameters; ``auto`` asks the processor.
    """
    gains = _bfloat16_gains() if mixed_bfloat16 == "auto" else mixed_bfloat16
    return "mixed_bfloat16" if gains else "float32"


def _bfloat16_gains() -> bool:
    """Whether this machine trains faster in bfloat16 than in float32.

    Measured seconds an epoch, bfloat16 against float32: 0.62 on an AMD EPYC with avx512_bf16
    (Zen 4); 1.67 on an Intel Xeon that has avx512_bf16 but not the matrix unit, amx_bf16. That
    Intel gains with it, and NVIDIA from Ampere (8.0) on, is their makers' word, not measured here.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return details.get("compute_capability", (0, 0)) >= (8, 0)
    words = set(CPUINFO.read_text().split()) if CPUINFO.exists() else set()
    return "amx_bf16" in words or {"AuthenticAMD", "avx512_bf16"} <= words
