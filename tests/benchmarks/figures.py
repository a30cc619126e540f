"""The figures that `make bench` prints at its end: each beside what it is measured against, and its goal."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from platform import machine, python_version


@dataclass(frozen=True)
class Figure:
    """`value` in `unit`; a ratio says in `reference` to what. `goal` is the most that it may be, where there is one."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    reference: str = ""

    @property
    def is_met(self) -> bool:
        return self.goal is None or self.value <= self.goal

    @property
    def row(self) -> str:
        goal = "" if self.goal is None else f"≤ {self.goal:,g}{'' if self.is_met else '  MISSED'}"
        return f"{self.name:<66} {self.value:>12,.2f} {self.unit:<22} {goal:<16} {self.reference}".rstrip()


@dataclass
class Figures:
    """All of one run."""

    found: list[Figure] = field(default_factory=list)

    def note(self, name: str, value: float, unit: str, goal: float | None = None, reference: str = "") -> Figure:
        figure = Figure(name, float(value), unit, goal, reference)
        self.found.append(figure)
        return figure

    def table(self) -> str:
        return "\n".join(figure.row for figure in self.found)

    def write(self, file: Path) -> None:
        """The same in JSON, with what they were measured on."""
        run = {"python": python_version(), "machine": machine(), "cores": os.cpu_count()}
        file.write_text(json.dumps({**run, "figures": [asdict(each) for each in self.found]}, indent=1) + "\n")
