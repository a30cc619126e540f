"""What Orbit Desktop measures: numbers that differ by version, pairs, and texts."""

from math import log
from random import Random
from typing import Any

_STARTUP_MS = {"4.11.0": 1_900, "4.12.0": 1_750, "5.0.0": 2_600, "5.0.1": 1_250}
"""The usual time; 5.0.0 was slow, and 5.0.1 mended it."""

_MEMORY_MB = {"4.11.0": 380, "4.12.0": 390, "5.0.0": 270, "5.0.1": 262}
_GPUS = {"windows": ("NVIDIA", "NVIDIA", "AMD", "Intel"), "macos": ("Apple",), "linux": ("AMD", "Intel", "NVIDIA")}
_WINDOWS = ((1280, 720), (1440, 900), (1920, 1080), (1920, 1080), (2560, 1440))
_GROUPS = ("startup-ms", "startup-ms", "memory-mb", "exports", "projects-open", "gpu-vendor", "window-size")


def measured(version: str, system: str, random: Random) -> dict[str, Any]:
    """Type, group and value of an event, as an SDK sends them."""
    match random.choice(_GROUPS):
        case "startup-ms":
            return _number("startup-ms", round(_around(_STARTUP_MS.get(version, 1_800), 0.35, random), 1))
        case "memory-mb":
            return _number("memory-mb", round(_around(_MEMORY_MB.get(version, 300), 0.2, random)))
        case "gpu-vendor":
            return {"data_type": "text", "data_group": "gpu-vendor", "text_data": random.choice(_GPUS[system])}
        case "window-size":
            width, height = random.choice(_WINDOWS)
            pair = {"numeric_data_x": width, "numeric_data_y": height}
            return {"data_type": "numeric-xy-axis", "data_group": "window-size", **pair}
        case group:
            return _number(group, random.randrange(1, 40))


def _number(group: str, value: float) -> dict[str, Any]:
    return {"data_type": "numeric-single-value", "data_group": group, "numeric_data_single_value": value}


def _around(usual: float, spread: float, random: Random) -> float:
    return random.lognormvariate(log(usual), spread)
