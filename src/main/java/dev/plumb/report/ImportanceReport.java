package dev.plumb.report;

import dev.plumb.train.Importance;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The content of a report on the permutation importance of the columns of a table.
 *
 * @param title heading of the page: the data
 * @param manifest versions, device, the command
 */
public record ImportanceReport(String title, Importance importance, Map<String, String> manifest) {
  public ImportanceReport {
    manifest = Map.copyOf(manifest);
  }

  byte[] html() {
    Page page = new Page(title, "Permutation importance");
    page.tiles(List.of(
        Map.entry(importance.metric().label(), Format.brief(importance.score())),
        Map.entry("columns", Format.whole(importance.columns().size())),
        Map.entry("repeats", Format.whole(importance.repeats())),
        Map.entry("rows", Format.whole(importance.rows()))));
    page.startMain();
    new ImportanceSection(importance).draw(page, "Importance of the columns");
    SortedMap<String, String> entries = new TreeMap<>(manifest);
    entries.put("seed", Long.toString(importance.seed()));
    page.entries("manifest", "Manifest", entries);
    return page.finish();
  }
}
