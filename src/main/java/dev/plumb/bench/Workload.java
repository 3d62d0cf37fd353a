package dev.plumb.bench;

import dev.plumb.backend.Backend;
import dev.plumb.model.Precision;

/** A fixed piece of training whose speed is measured, run by run; a run is cut into laps, so that its bound is measured beside it. */
public sealed interface Workload permits StudyWorkload, StepsWorkload, GpuWorkload {
  /** One word: W1. */
  String name();

  /** The name that a command line knows it by; several lines of one workload share it. */
  default String family() {
    return name();
  }

  /** What is trained, for people, in one line. */
  String what();

  Unit unit();

  Precision precision();

  /** Networks of one shape that are trained at once. */
  int replicas();

  /** Of what the unit counts, in one run. */
  double amount();

  /** Alike pieces of a run, at least 1. */
  int laps();

  /** Makes ready to train it; what that takes is not measured, but for what {@link Course#lap} does itself. */
  Course open(Backend backend);
}
