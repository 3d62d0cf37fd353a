package dev.plumb.report;

/** The report of one training. */
final class RunPage {
  private final RunReport report;

  RunPage(RunReport report) {
    this.report = report;
  }

  byte[] html() {
    Page page = new Page(report.title(), "Training");
    page.notes(report.notes());
    page.startMain();
    page.entries("configuration", "Configuration", report.configuration());
    page.entries("manifest", "Manifest", report.manifest());
    return page.finish();
  }
}
