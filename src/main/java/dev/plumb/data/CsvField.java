package dev.plumb.data;

/** Text of one field of a CSV file. */
public final class CsvField {
  private CsvField() {}

  /**
   * Returns a field, quoted if RFC 4180 requires it.
   *
   * @param text the value
   * @return the text as it is written
   */
  public static String of(String text) {
    return of(text, ',');
  }

  /**
   * Returns a field of a file with another delimiter, quoted if it needs to be.
   *
   * @param text the value
   * @param delimiter between fields
   * @return the text as it is written
   */
  public static String of(String text, char delimiter) {
    return text.chars().anyMatch(c -> c == delimiter || c == '"' || c == '\n' || c == '\r')
        ? "\"" + text.replace("\"", "\"\"") + "\"" : text;
  }
}
