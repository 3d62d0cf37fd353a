package dev.plumb.data;

import java.util.Collection;
import java.util.Currency;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Recognizes numbers that are written in another notation than the one that is read (digits, a decimal point, an exponent after e).
 * They are not converted: whether a comma separates thousands or decimals cannot be told from one value. What they stand for goes
 * into the message that refuses them.
 *
 * <p>One rule decides. Blanks around the value are left out, also no-break and thin ones; so are one sign (also U+2212, or
 * parentheses, or a minus at the end), one currency symbol or ISO 4217 code at either end, and a percent sign. What is left must be
 * digits of any script with thousands in groups of three (or in India's way) between commas, points, apostrophes, underscores or
 * blanks, with a decimal point or comma; or a number with Fortran's exponent, {@code 1.5D+03}.
 */
final class NumberNotation {
  private static final String BLANK = "[\\s\\u00a0\\u2000-\\u200b\\u202f\\u205f\\u2060\\u3000\\ufeff]";
  private static final Pattern EDGES = Pattern.compile("^" + BLANK + "+|" + BLANK + "+$");
  private static final Pattern PERCENT = Pattern.compile(BLANK + "*[%\\u2030\\uff05]$");
  private static final Pattern CURRENCY_FIRST = Pattern.compile("^([-+]?)(?:(\\p{Sc})|([A-Z]{3})(?![A-Za-z]))" + BLANK + "*");
  private static final Pattern CURRENCY_LAST = Pattern.compile(BLANK + "*(?:(\\p{Sc})|([A-Z]{3}))([-+]?)$");
  private static final Pattern GROUPED =
      Pattern.compile("[1-9]\\d{0,2}(?:([,.'\\u2019_ ])\\d{3})(?:\\1\\d{3})*|[1-9]\\d?(?:,\\d{2})+,\\d{3}");
  private static final Pattern NUMBER = Pattern.compile(
      "(" + GROUPED.pattern().replace("\\1", "\\2") + "|\\d*)(?:([.,])(\\d*))?([eE][-+]?\\d+)?");
  private static final Pattern FORTRAN = Pattern.compile("(\\d+\\.\\d*|\\.\\d+)[dDqQ]([-+]?\\d+)");
  private static final Pattern COMMA_BEFORE_THREE = Pattern.compile("[-+]?[1-9]\\d{0,2},\\d{3}");
  private static final Pattern COMMA_BEFORE_OTHERS = Pattern.compile(".*\\d*,(\\d{0,2}|\\d{4,})");
  private static final Set<String> CURRENCIES =
      Currency.getAvailableCurrencies().stream().map(Currency::getCurrencyCode).collect(Collectors.toUnmodifiableSet());
  private static final int LONGEST = 60;

  private NumberNotation() {}

  /** The number as it should be written, {@code 1234.5} for {@code 1,234.50 €}; empty when the rule does not take it. */
  static Optional<String> plain(String word) {
    if (word.length() > LONGEST || word.chars().noneMatch(Character::isDigit)) {
      return Optional.empty();
    }
    String text = EDGES.matcher(asciiDigits(word)).replaceAll("");
    boolean negative = false;
    if (text.startsWith("(") && text.endsWith(")")) {
      negative = true;
      text = text.substring(1, text.length() - 1);
    }
    text = PERCENT.matcher(text).replaceFirst("");
    text = withoutCurrency(text);
    text = EDGES.matcher(text).replaceAll("");
    if (text.endsWith("-") && !negative) {
      negative = true;
      text = text.substring(0, text.length() - 1);
    } else if (text.startsWith("-") || text.startsWith("+")) {
      if (negative) {
        return Optional.empty();
      }
      negative = text.startsWith("-");
      text = EDGES.matcher(text.substring(1)).replaceAll("");
    }
    String minus = negative ? "-" : "";
    return unsigned(text).map(number -> minus + number);
  }

  /**
   * What to do about a number in another notation.
   *
   * @param word it
   * @param all other values of its column, which tell what a comma means there
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
    return word.matches("[-+]?\\d*,\\d+") ? "has a decimal comma; numbers need a decimal point: write " + plain
        : "is a number in a notation that is not read: write " + plain;
  }

  private static Optional<String> unsigned(String text) {
    Matcher fortran = FORTRAN.matcher(text);
    if (fortran.matches()) {
      return Optional.of(fortran.group(1) + "e" + fortran.group(2));
    }
    Matcher number = NUMBER.matcher(text);
    if (!number.matches()) {
      return Optional.empty();
    }
    String whole = number.group(1);
    String mark = number.group(3);
    String fraction = number.group(4) == null ? "" : number.group(4);
    if (whole.isEmpty() && fraction.isEmpty()) {
      return Optional.empty();
    }
    boolean grouped = GROUPED.matcher(whole).matches() && !whole.chars().allMatch(Character::isDigit);
    // 1.234,5 and 1,234.5 are numbers, 1,234,5 is none.
    if (grouped && mark != null && whole.contains(mark)) {
      return Optional.empty();
    }
    String digits = grouped ? whole.replaceAll("\\D", "") : whole;
    String exponent = number.group(5) == null ? "" : number.group(5);
    return Optional.of((digits.isEmpty() ? "0" : digits) + (fraction.isEmpty() ? "" : "." + fraction) + exponent);
  }

  private static String withoutCurrency(String text) {
    Matcher first = CURRENCY_FIRST.matcher(text);
    if (first.find() && isCurrency(first.group(2), first.group(3))) {
      return first.group(1) + text.substring(first.end());
    }
    Matcher last = CURRENCY_LAST.matcher(text);
    return last.find() && isCurrency(last.group(1), last.group(2)) ? text.substring(0, last.start()) + last.group(3) : text;
  }

  private static boolean isCurrency(String symbol, String code) {
    return symbol != null || CURRENCIES.contains(code);
  }

  /** Digits of other scripts, minus signs and blanks in their ASCII form. */
  private static String asciiDigits(String word) {
    StringBuilder ascii = new StringBuilder(word.length());
    word.codePoints().forEach(c -> {
      if (c > 127 && Character.isDigit(c)) {
        ascii.append((char) ('0' + Character.digit(c, 10)));
      } else {
        ascii.appendCodePoint(switch (c) {
          case 0x2212, 0x2010, 0x2011, 0x2012, 0x2013, 0xFE63, 0xFF0D -> '-';
          case 0xFF0B -> '+';
          case 0x066B, 0xFF0E -> '.';
          case 0x066C, 0xFF0C -> ',';
          case 0x00A0, 0x2007, 0x2008, 0x2009, 0x200A, 0x202F, 0x205F, 0x3000 -> ' ';
          default -> c;
        });
      }
    });
    return ascii.toString();
  }
}
