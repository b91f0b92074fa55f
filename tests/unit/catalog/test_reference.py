"""The example is right, and the reference names everything that a file may say."""

from pathlib import Path

import pytest

from tallystick.catalog.loading import KEYS, load
from tallystick.catalog.models import Anchor, PeriodUnit
from tallystick.catalog.rules import LateUsage
from tallystick.catalog.sections import billing, metrics, plans, prices, teams, terms
from tallystick.metering.models import SECONDS, Aggregation, Level
from tallystick.pricing import MODELS

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference" / "catalogue.md"
PRICE_KEYS = """
metric name model currency effective_from effective_to free_units minimum maximum where conversion discounts commitment
prorate measure schedule dimensions rates default tiers up_to from unit_price flat_fee rate package_size package_price
amount
""".split()


def test_the_example_is_right():
    catalogue = load(ROOT / "examples" / "tallystick.yaml")
    assert len(catalogue.metrics) >= 6
    assert len({entry.definition.aggregation for entry in catalogue.metrics.values()}) >= 5
    models = {entry.price.model for plan in catalogue.plans.values() for entry in plan.prices}
    assert models == set(MODELS)


KEYS_OF_A_FILE = {
    *(*KEYS, *metrics.KEYS, *plans.KEYS, *teams.KEYS, *teams.DEFAULT_KEYS, *PRICE_KEYS, *prices.FEE_KEYS),
    *(*terms.DISCOUNT_KEYS, *billing.KEYS, *billing.INVOICE_KEYS, *billing.ENTITY_KEYS, *billing.TAX_KEYS),
}
WORDS_OF_A_FILE = {str(word) for word in (*Aggregation, *Level, *SECONDS, *PeriodUnit, *Anchor, *MODELS, *LateUsage)}


@pytest.mark.parametrize("word", sorted(KEYS_OF_A_FILE | WORDS_OF_A_FILE))
def test_the_reference_names_every_key_and_word(word):
    assert f"`{word}`" in REFERENCE.read_text(encoding="utf-8")
