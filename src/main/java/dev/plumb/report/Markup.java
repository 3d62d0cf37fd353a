package dev.plumb.report;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;

/**
 * A builder of HTML and SVG. Texts and attribute values are always escaped, so that data cannot become markup. Elements are
 * closed in order, so that the result is also well-formed XML, which the tests parse.
 */
final class Markup {
  private final StringBuilder out = new StringBuilder();
  private final Deque<String> open = new ArrayDeque<>();

  /**
   * Opens an element.
   *
   * @param attributes alternating names and values; an attribute whose value is null is omitted
   */
  Markup open(String element, Object... attributes) {
    start(element, attributes);
    out.append('>');
    open.push(element);
    return this;
  }

  Markup close() {
    out.append("</").append(open.pop()).append('>');
    return this;
  }

  /** Closes all open elements up to and including the innermost one with this name. */
  Markup close(String element) {
    while (!open.peek().equals(element)) {
      close();
    }
    return close();
  }

  /** Adds an element without content. */
  Markup empty(String element, Object... attributes) {
    start(element, attributes);
    out.append("/>");
    return this;
  }

  /** Adds an element that contains only text. */
  Markup element(String element, String text, Object... attributes) {
    return open(element, attributes).text(text).close();
  }

  Markup text(String text) {
    escape(text);
    return this;
  }

  Markup line() {
    out.append('\n');
    return this;
  }

  /** Opens a region that can be scrolled with the pointer or the keyboard if its content is wider than the window. */
  Markup scrolling(String name) {
    return open("div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label", name);
  }

  /** Adds Plumb's own markup without escaping: the style sheet and the script. */
  Markup trusted(String markup) {
    out.append(markup);
    return this;
  }

  @Override
  public String toString() {
    if (!open.isEmpty()) {
      throw new IllegalStateException("not closed: " + open);
    }
    return out.toString();
  }

  private void start(String element, Object... attributes) {
    out.append('<').append(element);
    for (int i = 0; i < attributes.length; i += 2) {
      if (attributes[i + 1] != null) {
        out.append(' ').append(attributes[i]).append("=\"");
        if (attributes[i + 1] instanceof Double number) {
          out.append(coordinate(number));
        } else {
          escape(attributes[i + 1].toString());
        }
        out.append('"');
      }
    }
  }

  /** Returns a coordinate with one decimal, about a tenth of a pixel. */
  static String coordinate(double value) {
    long tenths = Math.round(value * 10);
    return tenths % 10 == 0
        ? Long.toString(tenths / 10)
        : String.format(Locale.ROOT, "%s%d.%d", tenths < 0 ? "-" : "", Math.abs(tenths) / 10, Math.abs(tenths) % 10);
  }

  private void escape(String text) {
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      switch (c) {
        case '&' -> out.append("&amp;");
        case '<' -> out.append("&lt;");
        case '>' -> out.append("&gt;");
        case '"' -> out.append("&quot;");
        case '\'' -> out.append("&#39;");
        default -> out.appendCodePoint(isSafe(c) ? c : '\uFFFD');
      }
    }
  }

  /**
   * Returns whether a character is safe to show: no control character, and none that changes the direction of the text around it.
   */
  private static boolean isSafe(int c) {
    return c == '\n' || c == '\t' || switch (Character.getType(c)) {
      case Character.CONTROL, Character.SURROGATE, Character.UNASSIGNED -> false;
      case Character.FORMAT -> !(c >= 0x202A && c <= 0x202E || c >= 0x2066 && c <= 0x2069 || c == 0x200E || c == 0x200F);
      default -> true;
    };
  }
}
