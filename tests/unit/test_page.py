"""The page refuses what it does not know in its address: so it has to know all there is."""

import re

from telemetry.domain.environment import Environment
from telemetry.domain.flags import Flag
from telemetry.domain.window import Range
from tests.lambdas import ROOT

SOURCE = ROOT / "functions/dashboard/page/src"


def test_the_page_knows_every_flag_and_its_class() -> None:
    named = re.findall(r'\["([A-Z_]+)", \["[^"]+", "(\w+)"\]\]', (SOURCE / "flags.ts").read_text())
    assert dict(named) == {flag.value: flag.flag_class.value for flag in Flag}


def test_the_page_knows_every_range_and_environment() -> None:
    view = (SOURCE / "view.tsx").read_text()
    assert re.findall(r'\["(\d+\w)", "', view) == [each.value for each in Range]
    (environments,) = re.findall(r"ENVIRONMENTS: readonly Environment\[\] = \[(.*)\];", view)
    assert re.findall(r'"(\w+)"', environments) == [each.value for each in Environment]
