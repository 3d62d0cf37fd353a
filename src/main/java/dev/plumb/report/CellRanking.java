package dev.plumb.report;

import dev.plumb.study.Quartiles;
import dev.plumb.study.Study.Cell;
import dev.plumb.study.StudyResult;
import dev.plumb.study.TrialRow;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** A table of a study's cells, the best median over the seeds first; cells whose networks all diverged are last. */
final class CellRanking {
  private static final int MAX_LISTED = 100;

  private record Ranked(Cell cell, Quartiles score) {}

  private final StudyResult result;
  private final String scoreName;
  private final List<Ranked> ranked;

  /**
   * Ranks the cells.
   *
   * @param scoreName the name of the score: "validation accuracy"
   * @param higherBetter whether a higher score is better
   */
  CellRanking(StudyResult result, String scoreName, ToDoubleFunction<TrialRow> score, boolean higherBetter) {
    this.result = result;
    this.scoreName = scoreName;
    ranked = result.study().cells().stream().map(cell -> new Ranked(cell, result.quartiles(cell, score)))
        .sorted(Comparator.comparingDouble(cell -> Double.isNaN(cell.score().median()) ? Double.POSITIVE_INFINITY
            : higherBetter ? -cell.score().median() : cell.score().median())).toList();
  }

  /** @param label returns the text of a cell, with its number */
  void draw(Page page, Function<Cell, String> label) {
    boolean severalSeeds = result.study().seeds() > 1;
    Markup html = page.html();
    page.startSection("ranking", "Ranking");
    html.open("div", "class", "card").scrolling("Ranking").line();
    html.open("table", "class", "numbers wrapped ranking", "id", "ranking-table").line().open("thead").open("tr");
    html.element("th", "rank", "scope", "col").element("th", "cell", "scope", "col", "class", "word");
    List<String> heads = new ArrayList<>(List.of(severalSeeds ? "median " + scoreName : scoreName));
    if (severalSeeds) {
      heads.add("quartiles");
    }
    if (result.diverged() > 0) {
      heads.add("diverged");
    }
    heads.forEach(head -> html.element("th", head, "scope", "col"));
    html.close("thead").line().open("tbody").line();
    for (int i = 0; i < Math.min(MAX_LISTED, ranked.size()); i++) {
      Quartiles score = ranked.get(i).score();
      boolean known = !Double.isNaN(score.median());
      html.open("tr").element("th", Integer.toString(i + 1), "scope", "row")
          .element("td", label.apply(ranked.get(i).cell()), "class", "word");
      html.element("td", known ? Format.brief(score.median()) : "-");
      if (severalSeeds) {
        html.element("td", known ? Format.brief(score.low()) + " to " + Format.brief(score.high()) : "-");
      }
      if (result.diverged() > 0) {
        List<TrialRow> rows = result.of(ranked.get(i).cell());
        html.element("td", rows.stream().filter(row -> row.diverged() > 0).count() + " of " + Format.whole(rows.size()));
      }
      html.close("tr").line();
    }
    html.close("table").close("div").close("div").line();
    html.element("p", "Best first, by the " + (severalSeeds ? "median over the seeds; the middle half of the seeds is between the quartiles."
        : scoreName + ".") + (ranked.size() > MAX_LISTED ? " Only the first " + MAX_LISTED + " of " + Format.whole(ranked.size())
            + " cells are listed." : ""), "class", "small").line();
    page.endSection();
  }
}
