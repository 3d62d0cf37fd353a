package dev.plumb.bench;

/** What the speed of a workload is counted in. */
public enum Unit {
  /** Of a run: less is better. */
  SECONDS("s"),
  SAMPLES("samples/s"),
  GIGAFLOPS("GFLOP/s"),
  NETWORKS("networks/s");

  private final String symbol;

  Unit(String symbol) {
    this.symbol = symbol;
  }

  public String symbol() {
    return symbol;
  }

  /**
   * The speed of a run.
   *
   * @param amount of what is counted in one run; 1 run where seconds are
   */
  double speed(double amount, double seconds) {
    return this == SECONDS ? seconds / amount : amount / seconds;
  }
}
