package dev.plumb.bench;

import java.util.ArrayList;
import java.util.List;

/** All results of a benchmark, in their order. */
final class BenchRecord implements BenchListener {
  final List<String> progress = new ArrayList<>();
  final List<Ceiling> ceilings = new ArrayList<>();
  final List<Outcome> outcomes = new ArrayList<>();
  final List<String> notMeasured = new ArrayList<>();

  @Override
  public void onMeasuring(String what) {
    progress.add(what);
  }

  @Override
  public void onCeiling(Ceiling ceiling) {
    ceilings.add(ceiling);
  }

  @Override
  public void onOutcome(Outcome outcome) {
    outcomes.add(outcome);
  }

  @Override
  public void onNotMeasured(String line) {
    notMeasured.add(line);
  }
}
