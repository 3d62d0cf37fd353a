package dev.plumb.bench;

import dev.plumb.bench.BenchResult.Ceiling;
import dev.plumb.bench.BenchResult.WorkloadResult;
import java.util.ArrayList;
import java.util.List;

/** A list of all results of a benchmark, in order. */
final class BenchRecord implements BenchResult.Listener {
  final List<String> progress = new ArrayList<>();
  final List<Ceiling> ceilings = new ArrayList<>();
  final List<WorkloadResult> workloads = new ArrayList<>();
  final List<String> notMeasured = new ArrayList<>();

  @Override
  public void onMeasuring(String description) {
    progress.add(description);
  }

  @Override
  public void onCeiling(Ceiling ceiling) {
    ceilings.add(ceiling);
  }

  @Override
  public void onWorkload(WorkloadResult result) {
    workloads.add(result);
  }

  @Override
  public void onNotMeasured(String line) {
    notMeasured.add(line);
  }
}
