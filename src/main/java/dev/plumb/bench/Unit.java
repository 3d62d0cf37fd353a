package dev.plumb.bench;

/** What the speed of a workload is counted in. */
public enum Unit {
  /** Of a run: less is better. */
  SECONDS("s"),
  SAMPLES("samples/s"),
  GIGAFLOPS("GFLOP/s"),
  NETWORKS("networks/s"),
  /** Of a step that takes all rows: less is better. */
  MICROSECONDS_PER_EPOCH("us/epoch"),
  /** Less is better. */
  MICROSECONDS_PER_STEP("us/step"),
  /** Epochs of all networks together. */
  NETWORK_EPOCHS("network-epochs/s"),
  TERAFLOPS("TFLOP/s");

  private static final double MICROSECONDS = 1e6;

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
    return switch (this) {
      case SECONDS -> seconds / amount;
      case MICROSECONDS_PER_EPOCH, MICROSECONDS_PER_STEP -> seconds * MICROSECONDS / amount;
      default -> amount / seconds;
    };
  }
}
