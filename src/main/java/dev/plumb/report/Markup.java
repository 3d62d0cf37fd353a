package dev.plumb.report;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;

/**
 * HTML and SVG as text. Every value that is not a name goes through one escape, so that no data can become markup; elements close
 * in order, and the text is well-formed XML too, which tests read.
 */
final class Markup {
  private final StringBuilder out = new StringBuilder();
  private final Deque<String> open = new ArrayDeque<>();

  /** What a start tag holds: names and values in turn; a value that is null leaves its attribute out. */
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

  /** Closes what is open down to and including the nearest such element. */
  Markup close(String element) {
    while (!open.peek().equals(element)) {
      close();
    }
    return close();
  }

  /** An element without content. */
  Markup empty(String element, Object... attributes) {
    start(element, attributes);
    out.append("/>");
    return this;
  }

  /** An element that holds text alone. */
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

  /** What may be wider than the window, and is then moved by hand, or by keys. */
  Markup scrolling(String name) {
    return open("div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label", name);
  }

  /** Text of Plumb's own that is markup already: the style sheet and the script. */
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

  /** With a decimal, which is a tenth of a pixel: finer cannot be seen. */
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
        default -> out.appendCodePoint(isHarmless(c) ? c : '\uFFFD');
      }
    }
  }

  /** Control characters have no place in a page, those that change the direction of writing would change what others say. */
  private static boolean isHarmless(int c) {
    return c == '\n' || c == '\t' || switch (Character.getType(c)) {
      case Character.CONTROL, Character.SURROGATE, Character.UNASSIGNED -> false;
      case Character.FORMAT -> !(c >= 0x202A && c <= 0x202E || c >= 0x2066 && c <= 0x2069 || c == 0x200E || c == 0x200F);
      default -> true;
    };
  }
}
