package dev.plumb.report;

import dev.plumb.report.LineChart.Look;
import dev.plumb.study.Hyperparameter;
import dev.plumb.study.Summary;
import dev.plumb.study.TuningColumn;
import dev.plumb.study.TuningResult;
import dev.plumb.study.TuningResult.Standing;
import dev.plumb.study.TuningTrial;
import dev.plumb.train.Metric;
import dev.plumb.train.TrainConfig;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** The report of a hyperparameter search: the winner, the ladder, the scores by hyperparameter, the best candidates, the cost. */
public final class TuningReport {
  /** Maximum distance to the winner in the chart of intervals, as a multiple of the range of the best half. */
  private static final double MAX_DISTANCE = 4;
  private static final String WITHOUT_SEARCH = "without a search";

  private final String title;
  private final List<String> summary;
  private final TuningResult result;
  private final String command;
  private final SortedMap<String, String> manifest;
  private final Metric metric;
  private final Standing winner;
  private final Standing base;
  private final List<Standing> scored;

  /**
   * @param title heading of the page: the data
   * @param summary sentences for the top of the page, in lower case and without full stop
   * @param command command line that trains the winner
   * @param manifest versions, device, the command
   */
  public TuningReport(String title, List<String> summary, TuningResult result, String command, SortedMap<String, String> manifest) {
    this.title = title;
    this.summary = List.copyOf(summary);
    this.result = result;
    this.command = command;
    this.manifest = manifest;
    metric = result.metric();
    winner = result.standings().get(0);
    base = result.base();
    scored = result.standings().stream().filter(standing -> !standing.isDiverged()).toList();
  }

  /** Writes the page as HTML; leaves the stream open. */
  public void write(OutputStream out) throws IOException {
    Page page = new Page(title, "Hyperparameter search");
    page.summary(summary.stream().map(sentence -> GridReport.capitalized(sentence) + ".").toList());
    page.notes(notes());
    page.tiles(tiles());
    page.startMain();
    drawWinner(page);
    drawLadder(page);
    drawHyperparameters(page);
    drawBest(page);
    drawCost(page);
    page.entries("manifest", "Manifest", manifest);
    out.write(page.finish());
  }

  private List<String> notes() {
    int diverged = result.standings().size() - scored.size();
    if (scored.isEmpty()) {
      return List.of("The trainings of all candidates diverged. Use a space with lower learning rates or --clip-norm 1.");
    }
    return diverged == 0 ? List.of() : List.of(Format.whole(diverged) + " of " + Format.whole(result.standings().size())
        + (diverged == 1 ? " candidates has no score, because its training diverged. It is not in the charts."
        : " candidates have no score, because their trainings diverged. They are not in the charts."));
  }

  private List<Map.Entry<String, String>> tiles() {
    List<Map.Entry<String, String>> tiles = new ArrayList<>(List.of(
        Map.entry(metric.label() + " of the winner", Format.score(winner.score().mean()))));
    if (base != winner) {
      tiles.add(Map.entry(metric.label() + " " + WITHOUT_SEARCH, Format.score(base.score().mean())));
    }
    tiles.add(Map.entry("candidates", Format.whole(result.candidates().size())));
    tiles.add(Map.entry("networks", Format.whole(result.trials().size())));
    tiles.add(Map.entry("epochs", Format.whole(result.epochs())));
    tiles.add(Map.entry("training time", Format.seconds(result.seconds())));
    return tiles;
  }

  private TrainConfig config(Standing standing) {
    return result.candidates().get(standing.candidate());
  }

  private String epochs(Standing standing) {
    return Format.whole(result.ladder().get(standing.rung()).epochs());
  }

  private static String score(Standing standing) {
    return standing.isDiverged() ? "diverged" : Format.score(standing.score().mean());
  }

  private String interval(Standing standing) {
    Summary score = result.score(standing);
    return IntervalChart.interval(score.low(), score.high());
  }

  /** Returns the number of networks that a score is the mean of: "4 (2 folds, 2 seeds)". */
  private String networks(Standing standing) {
    int count = standing.score().count();
    int seeds = count / result.folds();
    return count == 0 ? "-" : count + " (" + (result.folds() > 1 ? result.folds() + " folds, " : "") + seeds
        + (seeds == 1 ? " seed)" : " seeds)");
  }

  private String name(Standing standing) {
    return standing.candidate() + (standing == winner && standing == base ? " (winner, base)" : standing == winner ? " (winner)"
        : result.isBase(standing.candidate()) ? " (base)" : "");
  }

  private static void closeTable(Markup html, String note) {
    html.close("table").close("div").line();
    if (!note.isEmpty()) {
      html.element("p", note, "class", "small").line();
    }
    html.close("div").line();
  }

  private static void row(Markup html, String style, List<String> cells) {
    html.open("tr", "class", style).element("th", cells.get(0), "scope", "row");
    cells.subList(1, cells.size()).forEach(cell -> html.element("td", cell));
    html.close("tr").line();
  }

  private void drawWinner(Page page) {
    Markup html = page.html();
    page.startSection("winner", "Winner");
    List<Standing> shown = winner == base ? List.of(winner) : List.of(winner, base);
    if (result.isBaseKept()) {
      html.element("p", "No drawn finalist is better than the configuration without a search by more than "
          + TuningResult.MIN_STANDARD_ERRORS + " standard errors.").line();
    }
    html.open("div", "class", "charts").line();
    List<String> heads = new ArrayList<>(List.of("candidate"));
    shown.forEach(standing -> heads.add(name(standing)));
    Page.openTable(html, "winner-table", " ranking", heads);
    row(html, shown, metric.label(), false, TuningReport::score);
    row(html, shown, "95 % interval", false, this::interval);
    row(html, shown, "networks", false, this::networks);
    row(html, shown, "epochs", true, this::epochs);
    TuningColumn.ALL.forEach(column -> row(html, shown, column.name(), true, standing -> column.text().apply(config(standing))));
    closeTable(html, "");
    html.open("div", "class", "card").line();
    if (!winner.isDiverged()) {
      html.element("h3", "Train the winner on all rows").line();
      html.element("pre", command, "class", "command").line();
    }
    html.element("p", "A drawn candidate wins if it is better than the best one without a search by more than "
        + TuningResult.MIN_STANDARD_ERRORS + " standard errors of their mean difference in the same folds and seeds. The rows that judge"
        + " the candidates also chose the winner, so that its score is slightly optimistic for new rows. Intervals are those of the mean"
        + " by Student's t" + (result.folds() > 1 ? "; folds share training rows, so they are too narrow." : ", over seeds.")
        + " Without a search: "
        + (result.baseCandidates() == 1 ? "the configuration that the options describe."
        : "the best of " + result.baseCandidates() + " candidates, with the weight decays and dropouts that plumb train chooses from."),
        "class", "small").line();
    html.close("div").line().close("div").line();
    page.endSection();
  }

  /** Draws a row of the table of the winner; hyperparameters that differ are in bold. */
  private static void row(Markup html, List<Standing> shown, String name, boolean isHyperparameter,
      Function<Standing, String> value) {
    List<String> values = shown.stream().map(value).toList();
    html.open("tr").element("th", name, "scope", "row");
    boolean differs = isHyperparameter && values.stream().distinct().count() > 1;
    values.forEach(text -> html.element("td", text, "class", differs ? "differs" : null));
    html.close("tr").line();
  }

  private void drawLadder(Page page) {
    Markup html = page.html();
    page.startSection("ladder", "Halving ladder");
    LadderChart chart = new LadderChart(result);
    html.open("div", "class", "charts").line();
    if (chart.isDrawn()) {
      chart.draw(html);
    }
    Page.openTable(html, "ladder-table", " ranking",
        List.of("rung", "epochs", "candidates", "best " + metric.heading(), "median", "diverged"));
    for (int i = 0; i < result.ladder().size(); i++) {
      TuningResult.Rung rung = result.ladder().get(i);
      double[] scores = chart.scores(i);
      row(html, null, List.of(Integer.toString(i + 1), Format.whole(rung.epochs()), Format.whole(rung.candidates()),
          Format.score(rung.best()), Format.score(median(scores)), Format.whole(rung.candidates() - scores.length)));
    }
    closeTable(html, result.ladder().size() == 1 ? "With one rung, all candidates are trained for all epochs: random search."
        : "Each rung trains those of the candidates before it that are among the best of all, from the beginning, for more"
            + " epochs, and the base candidates whatever their rank, but none whose score has become worse. A candidate"
            + " is judged by the rung of its best score.");
    html.close("div").line();
    page.endSection();
  }

  /** Returns the median of sorted values; NaN without values. */
  private static double median(double[] sorted) {
    return sorted.length == 0 ? Double.NaN : (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }

  private void drawHyperparameters(Page page) {
    List<Hyperparameter> differing = Arrays.stream(Hyperparameter.values())
        .filter(parameter -> HyperparameterChart.differs(parameter, result)).toList();
    if (differing.isEmpty() || scored.isEmpty()) {
      return;
    }
    Markup html = page.html();
    page.startSection("hyperparameters", GridReport.capitalized(metric.label()) + " by hyperparameter");
    ScoreAxis axis =
        ScoreAxis.of(scored.stream().mapToDouble(standing -> standing.score().mean()).toArray(), metric.isHigherBetter());
    Set<Integer> spread = Arrays.stream(Thinning.spread(scored.size(), HyperparameterChart.MAX_POINTS)).boxed()
        .collect(Collectors.toSet());
    List<Standing> drawn = IntStream.range(0, scored.size())
        .filter(i -> spread.contains(i) || scored.get(i).isFinalist()).mapToObj(scored::get).toList();
    HyperparameterChart.drawLegend(html, result, drawn);
    html.open("div", "class", "charts small-multiples").line();
    differing.forEach(parameter -> new HyperparameterChart(parameter, result, axis).draw(html, drawn));
    html.close("div").line();
    html.element("p", "Each point is a candidate, at the " + metric.label() + " of its best rung; "
        + (metric.isHigherBetter() ? "higher" : "lower") + " is better." + axis.note() + " The hyperparameters vary together, so"
        + " that a pattern can have another cause." + (drawn.size() < scored.size() ? " Only " + Format.whole(drawn.size()) + " of "
        + Format.whole(scored.size()) + " candidates are drawn." : ""), "class", "small").line();
    page.endSection();
  }

  private void drawBest(Page page) {
    Markup html = page.html();
    List<Standing> shown = result.best();
    page.startSection("best", "Best candidates");
    List<Standing> inChart = inChart(shown);
    IntervalChart chart = new IntervalChart("intervals", metric, inChart.stream().map(this::intervalRow).toList(), looks(inChart),
        "The numbers are those of the candidates." + (inChart.size() < shown.size()
            ? " Candidates that are far worse, or diverged, are only in the table." : ""));
    if (chart.isDrawn()) {
      html.open("div", "class", "charts").line();
      chart.draw(html);
      html.close("div").line();
    }
    drawBestTable(html, shown);
    page.endSection();
  }

  /** Returns the candidates whose scores do not squash the intervals of the best half. */
  private List<Standing> inChart(List<Standing> shown) {
    Comparator<Standing> byScore = Comparator.comparingDouble(standing -> standing.score().mean());
    DoubleSummaryStatistics best = shown.stream().filter(standing -> !standing.isDiverged())
        .sorted(metric.isHigherBetter() ? byScore.reversed() : byScore).limit((shown.size() + 1) / 2).map(result::score)
        .flatMapToDouble(score -> DoubleStream.of(score.mean(), score.low(), score.high())).filter(Double::isFinite)
        .summaryStatistics();
    double range = best.getMax() - best.getMin();
    return shown.stream().filter(standing -> !standing.isDiverged() && (range == 0
        || Math.abs(standing.score().mean() - winner.score().mean()) <= MAX_DISTANCE * range)).toList();
  }

  /** Returns the style of a candidate: those that were trained from one seed only are muted. */
  private String style(Standing standing) {
    return (standing == winner ? "s1" : standing == base ? "s2" : "s0") + (standing.isFinalist() ? "" : " early");
  }

  private IntervalChart.Row intervalRow(Standing standing) {
    Summary score = result.score(standing);
    return new IntervalChart.Row(Integer.toString(standing.candidate()), style(standing), "candidate " + name(standing),
        score.mean(), score.low(), score.high());
  }

  private List<Look> looks(List<Standing> shown) {
    List<Look> looks = new ArrayList<>(List.of(new Look("pair " + style(winner), "winner")));
    if (base != winner) {
      looks.add(new Look("pair " + style(base), "best " + WITHOUT_SEARCH));
    }
    Predicate<Standing> isOther = standing -> standing != winner && standing != base;
    if (shown.stream().filter(isOther).anyMatch(Standing::isFinalist)) {
      looks.add(new Look("pair s0", "other finalist"));
    }
    if (shown.stream().filter(isOther).anyMatch(standing -> !standing.isFinalist())) {
      looks.add(new Look("pair s0 early", "first seed only"));
    }
    return looks;
  }

  /** Draws the candidates with the hyperparameters in which they differ. */
  private void drawBestTable(Markup html, List<Standing> shown) {
    List<TuningColumn> columns = TuningColumn.ALL.stream().filter(column -> shown.stream()
        .map(standing -> column.text().apply(config(standing))).distinct().count() > 1).toList();
    List<String> heads = new ArrayList<>(List.of("candidate", metric.heading(), "95 % interval", "networks", "epochs"));
    columns.forEach(column -> heads.add(column.name()));
    Page.openTable(html, "best-table", " dense", heads);
    for (Standing standing : shown) {
      List<String> cells = new ArrayList<>(List.of(name(standing), score(standing), interval(standing),
          standing.isDiverged() ? "-" : Format.whole(standing.score().count()), epochs(standing)));
      columns.forEach(column -> cells.add(column.text().apply(config(standing))));
      row(html, standing.isFinalist() || !winner.isFinalist() ? null : "muted", cells);
    }
    closeTable(html, (winner.isFinalist() ? "The scores of the finalists, in dark text, are from other seeds than the one that chose them."
        + " The others were trained from this seed only: the best of many such scores are partly luck. " : "")
        + "Epochs: those of the best rung."
        + (columns.size() < TuningColumn.ALL.size() ? " Hyperparameters in which these candidates do not differ are left out."
        : ""));
  }

  private void drawCost(Page page) {
    Markup html = page.html();
    page.startSection("cost", "Cost");
    html.open("div", "class", "charts").line();
    Page.openTable(html, "cost-table", " ranking", List.of("trainings", "networks", "epochs", "training time"));
    for (int i = 0; i < result.ladder().size(); i++) {
      int rung = i;
      cost(html, "rung " + (i + 1), trial -> trial.rung() == rung && trial.seed() == 0);
    }
    if (result.trials().stream().anyMatch(trial -> trial.seed() > 0)) {
      cost(html, "more seeds of the finalists", trial -> trial.seed() > 0);
    }
    html.close("tbody").line().open("tfoot").line();
    cost(html, "all", trial -> true);
    closeTable(html, "The time is the sum over the networks; those that are trained side by side count each. The final training on"
        + " all rows is not included.");
    html.close("div").line();
    page.endSection();
  }

  private void cost(Markup html, String name, Predicate<TuningTrial> isPart) {
    List<TuningTrial> trials = result.trials().stream().filter(isPart).toList();
    row(html, null, List.of(name, Format.whole(trials.size()), Format.whole(trials.stream().mapToLong(TuningTrial::epochs).sum()),
        Format.seconds(trials.stream().mapToDouble(TuningTrial::seconds).sum())));
  }
}
