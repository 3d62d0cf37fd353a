package dev.plumb.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/**
 * The frame of every report: one self-contained HTML file. Its content security policy forbids all requests and all scripts
 * except the page's own.
 */
final class Page {
  /** Maximum length of a value in characters; the full value is in the run's files. */
  private static final int MAX_VALUE_LENGTH = 2000;

  private static final int MAX_ENTRIES = 300;

  private final Markup html = new Markup();
  private final String script = resource("report.js");

  Page(String title, String kind) {
    html.trusted("<!DOCTYPE html>\n");
    html.open("html", "lang", "en").line().open("head").line();
    html.empty("meta", "charset", "utf-8").line();
    html.empty("meta", "http-equiv", "Content-Security-Policy", "content",
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-" + sha256(script) + "'").line();
    html.empty("meta", "name", "viewport", "content", "width=device-width, initial-scale=1").line();
    html.empty("meta", "name", "color-scheme", "content", "light dark").line();
    html.element("title", title + " - Plumb").line();
    html.open("style").trusted("\n" + resource("report.css")).close().line().close().line();
    html.open("body").line().open("header").line();
    html.element("p", kind, "class", "kind").line();
    html.element("h1", title).line();
  }

  Markup html() {
    return html;
  }

  /** Adds sentences that are not highlighted. */
  void summary(List<String> sentences) {
    sentences.forEach(sentence -> html.element("p", sentence, "class", "summary").line());
  }

  /** Adds warnings. */
  void notes(List<String> notes) {
    for (String note : notes) {
      html.element("p", note, "class", "note").line();
    }
  }

  /** Adds the key numbers, each with its name. */
  void tiles(List<Map.Entry<String, String>> tiles) {
    html.open("dl", "class", "tiles").line();
    for (Map.Entry<String, String> tile : tiles) {
      html.open("div").element("dt", tile.getKey()).element("dd", tile.getValue()).close().line();
    }
    html.close().line();
  }

  void startMain() {
    html.close("header").line().open("main").line();
  }

  void startSection(String id, String heading) {
    html.open("section", "id", id, "aria-labelledby", id + "-heading").line();
    html.element("h2", heading, "id", id + "-heading").line();
  }

  void endSection() {
    html.close("section").line();
  }

  /** Adds a section of keys and values, unless there are none. */
  void entries(String id, String heading, SortedMap<String, String> entries) {
    if (entries.isEmpty()) {
      return;
    }
    startSection(id, heading);
    html.open("table", "class", "entries").line().open("tbody").line();
    entries.entrySet().stream().limit(MAX_ENTRIES).forEach(entry -> {
      html.open("tr").element("th", cut(entry.getKey()), "scope", "row").element("td", cut(entry.getValue())).close().line();
    });
    html.close("table").line();
    if (entries.size() > MAX_ENTRIES) {
      html.element("p", (entries.size() - MAX_ENTRIES) + " more entries are not shown.", "class", "small").line();
    }
    endSection();
  }

  /** Ends the page and returns the whole file. */
  byte[] finish() {
    html.close("main").line();
    html.open("footer").element("p",
        "Written by Plumb. This file is self-contained and loads nothing else.").close().line();
    html.open("script").trusted(script).close().line();
    html.close("body").line().close("html").line();
    return html.toString().getBytes(StandardCharsets.UTF_8);
  }

  /**
   * Opens a table in a card, which scrolls where it is wider than the page.
   *
   * @param style further classes of the table, with a leading blank
   * @param heads of the columns
   */
  static void openTable(Markup html, String id, String style, List<String> heads) {
    html.open("div", "class", "card").scrolling(heads.get(0)).line();
    html.open("table", "class", "numbers wrapped" + style, "id", id).line().open("thead").open("tr");
    heads.forEach(head -> html.element("th", head, "scope", "col"));
    html.close("thead").line().open("tbody").line();
  }

  static String cut(String value) {
    int length = value.codePointCount(0, value.length());
    return length <= MAX_VALUE_LENGTH
        ? value
        : value.substring(0, value.offsetByCodePoints(0, MAX_VALUE_LENGTH)) + " … (" + length + " characters)";
  }

  private static String resource(String name) {
    try (InputStream in = Page.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String sha256(String text) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return Base64.getEncoder().encodeToString(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
