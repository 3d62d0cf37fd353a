package dev.plumb.bench;

import java.util.OptionalLong;

/** A workload on a backend. */
interface Course extends AutoCloseable {
  /** Back to the first weights; not measured. */
  void restart();

  /** Trains one lap, to its end. */
  void lap();

  /** What the session holds on its device after a lap; empty where it does not say, or a lap has sessions of its own. */
  OptionalLong bytes();

  @Override
  void close();
}
