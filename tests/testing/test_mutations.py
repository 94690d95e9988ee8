"""For each check of the contract kit there is a broken component that this check, by its name, catches."""

import pytest
import torch
from mutants import Mutant, mutants

from outfitrec.testing import check_component, checks_of

MODULES = (
    "every",
    "loss",
    "encoder",
    "head",
    "aggregator",
    "preference",
    "augmenter",
    "negatives",
    "cold_start",
    "dataset",
    "distiller",
    "contrast",
    "objective",
    "metric",
    "optimizer",
    "schedule",
    "logger",
)
FOUND = mutants(MODULES)
GPU = "agrees_between_cpu_and_gpu"
CHECKS = dict.fromkeys(check for kind in MODULES if kind != "every" for check in checks_of(kind))


@pytest.mark.parametrize(
    "mutant", [pytest.param(one, id=f"{one.kind}-{one.check}-{one.cls.__name__}") for one in FOUND]
)
def test_a_check_catches_what_is_broken_for_it(mutant: Mutant) -> None:
    if mutant.check == GPU and not torch.cuda.is_available():
        pytest.skip("there is no GPU")
    report = check_component(
        mutant.cls,
        kind=mutant.kind,
        fields=mutant.fields,
        beside=mutant.beside,
        oracle=mutant.oracle,
        only=[mutant.check],
    )
    (result,) = report.results
    assert result.state == "failed", report
    assert result.message
    assert result.hint
    assert not report.ok


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(one, id=f"{one.check}-{one.cls.__name__}")
        for one in FOUND
        if one.cls.__module__ == "mutants.every" and one.check != GPU
    ],
)
def test_a_check_catches_it_after_all_others_too(mutant: Mutant) -> None:
    before = torch.get_default_dtype(), torch.get_rng_state()
    report = check_component(mutant.cls, kind=mutant.kind, fields=mutant.fields, beside=mutant.beside)
    assert mutant.check in {one.check for one in report.bad if one.state == "failed"}
    # What a component does to everybody ends with the check.
    assert torch.get_default_dtype() == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])


@pytest.mark.parametrize("check", [pytest.param(one, id=f"{one.kind}-{one.name}") for one in CHECKS])
def test_every_check_has_a_mutant(check: object) -> None:
    kind, name = getattr(check, "kind", ""), getattr(check, "name", "")
    caught = {(one.kind, one.check) for one in FOUND}
    assert any(found == name and kind in (one, "every") for one, found in caught)
