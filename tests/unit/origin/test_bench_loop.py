from origin.commands.bench_loop import percentile


def test_a_percentile_is_a_measured_value_that_so_many_do_not_exceed() -> None:
    values = [float(number) for number in range(1, 201)]
    assert percentile(values, 50) == 100.0
    assert percentile(values, 99) == 198.0
    assert percentile([7.04], 95) == 7.0


def test_nothing_measured_has_no_percentile() -> None:
    assert percentile([], 50) is None
