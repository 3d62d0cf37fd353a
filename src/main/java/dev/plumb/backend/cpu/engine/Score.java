package dev.plumb.backend.cpu.engine;

/** A loss, summed in double whatever the precision of its terms, and the hits. Used again, not made anew. */
public final class Score {
  private double sum;
  private double terms;
  private long hits;

  public void reset() {
    sum = 0;
    terms = 0;
    hits = 0;
  }

  /** Adds a part of the loss that is the sum of so many terms. */
  public void add(double partOfSum, double partOfTerms) {
    sum += partOfSum;
    terms += partOfTerms;
  }

  /** Adds the loss of another, without its hits. */
  public void add(Score other) {
    add(other.sum, other.terms);
  }

  public void addHits(long more) {
    hits += more;
  }

  /** The mean over all terms. */
  public double loss() {
    return sum / terms;
  }

  public boolean isFinite() {
    return Double.isFinite(loss());
  }

  public long hits() {
    return hits;
  }
}
