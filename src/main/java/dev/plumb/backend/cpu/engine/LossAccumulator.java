package dev.plumb.backend.cpu.engine;

/** A loss, summed in double whatever the precision of its terms, and the correct. Used again, not made anew. */
public final class LossAccumulator {
  private double sum;
  private double terms;
  private long correct;

  public void reset() {
    sum = 0;
    terms = 0;
    correct = 0;
  }

  /** Adds a part of the loss that is the sum of so many terms. */
  public void add(double partOfSum, double partOfTerms) {
    sum += partOfSum;
    terms += partOfTerms;
  }

  /** Adds the loss of another, without its correct. */
  public void add(LossAccumulator other) {
    add(other.sum, other.terms);
  }

  public void addCorrect(long more) {
    correct += more;
  }

  /** The mean over all terms. */
  public double loss() {
    return sum / terms;
  }

  public boolean isFinite() {
    return Double.isFinite(loss());
  }

  public long correct() {
    return correct;
  }
}
