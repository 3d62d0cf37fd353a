package dev.plumb.report;

import java.io.IOException;
import java.io.OutputStream;

/** A writer of reports, each as one self-contained HTML file. Streams are left open. */
public final class HtmlReport {
  private HtmlReport() {}

  public static void write(RunReport report, OutputStream out) throws IOException {
    out.write(new RunPage(report).html());
  }

  public static void write(ImportanceReport report, OutputStream out) throws IOException {
    out.write(report.html());
  }

  public static void write(StudyReport report, OutputStream out) throws IOException {
    out.write(new StudyPage(report).html());
  }
}
