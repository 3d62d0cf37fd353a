package dev.plumb.report;

import java.io.IOException;
import java.io.OutputStream;

/** Writes reports, each as one HTML file that opens without a network. Streams are left open. */
public final class HtmlReport {
  private HtmlReport() {}

  public static void write(RunReport report, OutputStream out) throws IOException {
    out.write(new RunPage(report).html());
  }

  public static void write(StudyReport report, OutputStream out) throws IOException {
    out.write(new StudyPage(report).html());
  }
}
