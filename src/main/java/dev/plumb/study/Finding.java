package dev.plumb.study;

/**
 * A claim and its measured result.
 *
 * @param claim a sentence
 * @param measured one or more sentences with the numbers
 */
public record Finding(String claim, Verdict verdict, String measured) {
  /** The result of testing a claim. */
  public enum Verdict {
    HELD("held"),
    IN_PART("held in part"),
    NOT("did not hold"),
    /** A measurement without a claim. */
    MEASURED("measured");

    private final String words;

    Verdict(String words) {
      this.words = words;
    }

    public String words() {
      return words;
    }
  }
}
