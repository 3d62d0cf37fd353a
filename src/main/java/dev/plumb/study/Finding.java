package dev.plumb.study;

/**
 * A claim and what was measured of it.
 *
 * @param claim a sentence
 * @param measured one or more sentences with the figures
 */
public record Finding(String claim, Verdict verdict, String measured) {
  /** Whether the claim stood. */
  public enum Verdict {
    HELD("held"),
    IN_PART("held in part"),
    NOT("did not hold"),
    /** Nothing was claimed before. */
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
