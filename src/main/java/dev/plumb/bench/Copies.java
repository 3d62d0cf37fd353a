package dev.plumb.bench;

/** Copying one array into another, each thread its own part, by the JDK's own copy. */
final class Copies {
  private final Crew crew;
  private final int threads;
  private final double[] from;
  private final double[] to;

  Copies(int bytes, int threads, Crew crew) {
    this.crew = crew;
    this.threads = threads;
    from = new double[bytes / Double.BYTES];
    to = new double[from.length];
  }

  /** Read and written by one copy. */
  double bytes() {
    return 2.0 * from.length * Double.BYTES;
  }

  void run(int times) {
    crew.run(thread -> {
      int first = (int) ((long) from.length * thread / threads);
      int end = (int) ((long) from.length * (thread + 1) / threads);
      for (int i = 0; i < times; i++) {
        System.arraycopy(from, first, to, first, end - first);
      }
    });
  }
}
