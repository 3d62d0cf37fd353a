package dev.plumb.report;

/** The report of a study. */
final class StudyPage {
  private final StudyReport report;

  StudyPage(StudyReport report) {
    this.report = report;
  }

  byte[] html() {
    Page page = new Page(report.title(), "Study");
    page.notes(report.notes());
    page.startMain();
    page.entries("configuration", "Configuration", report.configuration());
    page.entries("manifest", "Manifest", report.manifest());
    return page.finish();
  }
}
