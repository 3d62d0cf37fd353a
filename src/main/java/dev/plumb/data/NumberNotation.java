package dev.plumb.data;

import java.util.Collection;
import java.util.Currency;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Recognition of numbers in unsupported formats. The only supported format is digits with a decimal point and an exponent after
 * e. Numbers in other formats are not converted, because one value does not show whether a comma separates thousands or decimals.
 * The error message contains the number in the supported format.
 *
 * <p>The rule: first these are removed: blanks around the value, including no-break and thin ones; one sign (also U+2212,
 * parentheses, or a trailing minus); currencies at both ends (a symbol, R$, kr, or an ISO 4217 code); and a percent sign. The
 * rest must have one of two forms. The first is digits of any script, without leading zeros. They may have thousands separators
 * (commas, points, apostrophes or blanks between groups of three, or commas between groups as in India), and a decimal point or
 * comma with decimals, or with a dash instead of them. The second is a number with Fortran's exponent, {@code 1.5D+03}. Four
 * groups with points between them, as in an IP address, are not a number.
 */
final class NumberNotation {
  private static final String BLANK = "[\\s\\u00a0\\u2000-\\u200b\\u202f\\u205f\\u2060\\u3000\\ufeff]";
  private static final Pattern EDGES = Pattern.compile("^" + BLANK + "+|" + BLANK + "+$");
  private static final String PERCENT_SIGN = "[%\\u066a\\u2030\\uff05]";
  private static final Pattern PERCENT = Pattern.compile(BLANK + "*" + PERCENT_SIGN + "$|^" + PERCENT_SIGN + BLANK + "*");
  /** Currency codes that are often written without a blank before the number. */
  private static final String ATTACHED = "USD|EUR|GBP|JPY|CHF|CNY|INR|AUD|CAD";
  private static final String SYMBOL = "[A-Z]{0,3}\\p{Sc}|kr\\.?|Kr\\.?|zł|Kč|Ft|Rs\\.?|Fr\\.?|" + ATTACHED;
  private static final Pattern CURRENCY_FIRST =
      Pattern.compile("^([-+]?)(?:(" + SYMBOL + ")" + BLANK + "*|([A-Z]{3})" + BLANK + "+)(?=[-+(.,\\d])");
  private static final Pattern CURRENCY_LAST =
      Pattern.compile("(?<=[-.,\\d)])(?:" + BLANK + "*(" + SYMBOL + ")|" + BLANK + "+([A-Z]{3}))([-+]?)$");
  private static final Pattern GROUPED =
      Pattern.compile("[1-9]\\d{0,2}(?:([,.'\\u2019 ])\\d{3})(?:\\1\\d{3})*|[1-9]\\d?(?:,\\d{2})+,\\d{3}");
  private static final Pattern NUMBER = Pattern.compile(
      "(" + GROUPED.pattern().replace("\\1", "\\2") + "|0|[1-9]\\d*|)(?:([.,])(\\d*|-{1,2}))?([eE][-+]?\\d+)?");
  private static final Pattern FORTRAN = Pattern.compile("(\\d+\\.?\\d*|\\.\\d+)[dD]([-+]\\d+|\\d{2,})");
  private static final Pattern FOUR_BYTES = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");
  private static final Pattern MINUS_AT_END = Pattern.compile("(\\d{3,}|.*\\d[.,]\\d+|.*\\d[.,' ]\\d{3})-");
  private static final Pattern COMMA_BEFORE_THREE = Pattern.compile("[-+]?[1-9]\\d{0,2},\\d{3}");
  private static final Pattern COMMA_BEFORE_OTHERS = Pattern.compile(".*\\d*,(\\d{0,2}|\\d{4,})");
  private static final Pattern POINTS_BETWEEN_THOUSANDS =
      Pattern.compile("[1-9]\\d{0,2}(\\.\\d{3}){2,}.*|[1-9]\\d{0,2}(\\.\\d{3})+,.*");
  private static final Pattern IN_PARENTHESES = Pattern.compile("\\(\\d+\\)");
  private static final Pattern MARK = Pattern.compile("[^\\p{L}\\p{N}]+|-nan|#N/A|1\\.#IND|1\\.#QNAN");
  private static final Set<String> CURRENCIES =
      Currency.getAvailableCurrencies().stream().map(Currency::getCurrencyCode).collect(Collectors.toUnmodifiableSet());
  private static final int MAX_LENGTH = 60;

  private NumberNotation() {}

  /**
   * Returns whether a field marks a missing number: it has no letters or digits, such as a dash, or is another program's NaN.
   */
  static boolean isMark(String word) {
    return MARK.matcher(word).matches();
  }

  /** Returns whether a text is digits in parentheses: a negative number or a footnote, as the other values of its column show. */
  static boolean isWeak(String word) {
    return IN_PARENTHESES.matcher(word).matches();
  }

  /** Returns the number in the supported format, {@code 1234.50} for {@code 1,234.50 €}; empty when the text is not a number. */
  static Optional<String> plain(String word) {
    if (word.length() > MAX_LENGTH || word.chars().noneMatch(Character::isDigit)) {
      return Optional.empty();
    }
    String text = withoutCurrency(withoutPercent(trimmed(asciiForms(word))));
    boolean negative = false;
    if (text.startsWith("(") && text.endsWith(")")) {
      negative = true;
      text = withoutCurrency(trimmed(text.substring(1, text.length() - 1)));
    }
    if (!negative && MINUS_AT_END.matcher(text).matches()) {
      negative = true;
      text = text.substring(0, text.length() - 1);
    } else if (text.startsWith("-") || text.startsWith("+")) {
      if (negative) {
        return Optional.empty();
      }
      negative = text.startsWith("-");
      text = withoutCurrency(trimmed(text.substring(1)));
    }
    String minus = negative ? "-" : "";
    return unsigned(text).map(number -> minus + number);
  }

  /**
   * Returns the error and its remedy for a number in an unsupported format.
   *
   * @param word the number
   * @param all values of its column, which show the meaning of a comma, a point or a percent sign
   */
  static String remedy(String word, Collection<String> all) {
    String plain = plain(word).orElseThrow();
    if (COMMA_BEFORE_THREE.matcher(word).matches()) {
      boolean decimals = all.stream().anyMatch(other -> COMMA_BEFORE_OTHERS.matcher(other).matches());
      String withPoint = word.replace(',', '.');
      return decimals ? "has a decimal comma; numbers need a decimal point: write " + withPoint
          : "has a comma before three digits: write " + plain + " if it separates thousands, " + withPoint
              + " if it is a decimal comma";
    }
    if (word.matches("[-+]?\\d*,\\d+")) {
      return "has a decimal comma; numbers need a decimal point: write " + plain;
    }
    String remedy = "is in an unsupported number format; write " + plain;
    if (PERCENT.matcher(trimmed(word)).find() && all.stream().anyMatch(CsvColumn::isNumber)) {
      return remedy + ", or a hundredth of it if the column holds fractions";
    }
    boolean pointsInAll = Stream.concat(Stream.of(word), all.stream())
        .anyMatch(value -> POINTS_BETWEEN_THOUSANDS.matcher(value).matches());
    return pointsInAll ? remedy + ", and remove the thousands separators from all values of the column" : remedy;
  }

  private static Optional<String> unsigned(String text) {
    Matcher fortran = FORTRAN.matcher(text);
    if (fortran.matches()) {
      return Optional.of(fortran.group(1) + "e" + fortran.group(2));
    }
    Matcher number = NUMBER.matcher(text);
    if (!number.matches() || FOUR_BYTES.matcher(text).matches()) {
      return Optional.empty();
    }
    String whole = number.group(1);
    String mark = number.group(3);
    String fraction = number.group(4) == null || number.group(4).startsWith("-") ? "" : number.group(4);
    if (whole.isEmpty() && fraction.isEmpty()) {
      return Optional.empty();
    }
    boolean grouped = !whole.chars().allMatch(Character::isDigit);
    // 1.234,5 and 1,234.5 are numbers, 1,234,5 is not.
    if (grouped && mark != null && whole.contains(mark)) {
      return Optional.empty();
    }
    String digits = grouped ? whole.replaceAll("\\D", "") : whole;
    String exponent = number.group(5) == null ? "" : number.group(5);
    return Optional.of((digits.isEmpty() ? "0" : digits) + (fraction.isEmpty() ? "" : "." + fraction) + exponent);
  }

  private static String trimmed(String text) {
    return EDGES.matcher(text).replaceAll("");
  }

  private static String withoutPercent(String text) {
    return PERCENT.matcher(text).replaceFirst("");
  }

  private static String withoutCurrency(String text) {
    String rest = text;
    Matcher first = CURRENCY_FIRST.matcher(rest);
    if (first.find() && isCurrency(first.group(2), first.group(3))) {
      rest = first.group(1) + rest.substring(first.end());
    }
    Matcher last = CURRENCY_LAST.matcher(rest);
    return last.find() && isCurrency(last.group(1), last.group(2)) ? rest.substring(0, last.start()) + last.group(3) : rest;
  }

  private static boolean isCurrency(String symbol, String code) {
    return symbol != null || CURRENCIES.contains(code);
  }

  /** Converts digits of other scripts, minus signs and blanks to ASCII. */
  private static String asciiForms(String word) {
    StringBuilder ascii = new StringBuilder(word.length());
    word.codePoints().forEach(c -> {
      if (c > 127 && Character.isDigit(c)) {
        ascii.append((char) ('0' + Character.digit(c, 10)));
      } else if (c > 127 && Character.getType(c) == Character.SPACE_SEPARATOR) {
        ascii.append(' ');
      } else {
        ascii.appendCodePoint(switch (c) {
          case 0x2212, 0x2010, 0x2011, 0x2012, 0x2013, 0xFE63, 0xFF0D -> '-';
          case 0xFF0B -> '+';
          case 0x066B, 0xFF0E -> '.';
          case 0x066C, 0xFF0C -> ',';
          default -> c;
        });
      }
    });
    return ascii.toString();
  }
}
