package dev.plumb.report;

import dev.plumb.report.LineChart.Series;
import dev.plumb.report.StudyFigures.Spread;
import dev.plumb.report.StudyReport.Network;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** The report of a study. Networks have numbers, by which all charts and tables name them. */
final class StudyPage {
  /** More curves in one drawing cannot be told apart. */
  private static final int MAX_CURVES = 12;

  private static final int MAX_LISTED = 500;
  private static final int MAX_SENTENCES = 8;

  private final StudyReport report;
  private final List<StudyFigures> networks;
  private final boolean severalRuns;

  StudyPage(StudyReport report) {
    this.report = report;
    networks = report.networks().stream().map(StudyFigures::new).toList();
    severalRuns = report.networks().stream().anyMatch(network -> network.runs().size() > 1);
  }

  byte[] html() {
    Page page = new Page(report.title(), "Study report");
    page.notes(report.notes());
    long diverged = networks.stream().mapToLong(StudyFigures::diverged).sum();
    long runs = networks.stream().mapToLong(of -> of.network().runs().size()).sum();
    if (diverged > 0) {
      page.notes(List.of(Figures.whole(diverged) + " of " + Figures.whole(runs) + (runs == 1 ? " training" : " trainings")
          + " diverged: their losses or gradients did not stay finite."));
    }
    page.tiles(List.of(
        Map.entry("networks", Figures.whole(networks.size())),
        Map.entry("trainings", Figures.whole(runs)),
        Map.entry("epochs", Figures.whole(report.epochs())),
        Map.entry("time of training", Figures.seconds(networks.stream().mapToDouble(StudyFigures::seconds).sum()))));
    page.startMain();
    drawResults(page);
    drawLosses(page);
    drawGradients(page);
    page.entries("configuration", "Configuration", report.configuration());
    page.entries("manifest", "Manifest", report.manifest());
    return page.finish();
  }

  static String label(int index, Network network) {
    String name = network.name();
    boolean isLong = name.codePointCount(0, name.length()) > 40;
    return index + 1 + ". " + (isLong ? name.substring(0, name.offsetByCodePoints(0, 39)) + "…" : name);
  }

  private void drawResults(Page page) {
    Markup html = page.html();
    page.startSection("results", "Results");
    html.element("p", new LossRanking(networks).sentence(), "class", "finding").line();
    html.open("div", "class", "card").scrolling("Results").line();
    html.open("table", "class", "numbers", "id", "results-table").line();
    html.open("thead").open("tr");
    List<String> heads = new ArrayList<>(List.of("network", "layers", "activation"));
    if (severalRuns) {
      heads.addAll(List.of("seeds", "diverged"));
    }
    report.lossAtEpochs().forEach(epoch -> heads.add("loss @ " + epoch));
    heads.addAll(List.of("final loss", "grad norm L1", "grad norm last", "time"));
    for (int i = 0; i < heads.size(); i++) {
      html.element("th", heads.get(i), "scope", "col", "class", i < 3 ? "word" : null);
    }
    html.close("thead").line().open("tbody").line();
    for (int i = 0; i < Math.min(MAX_LISTED, networks.size()); i++) {
      drawRow(html, i);
    }
    html.close("table").close("div").close("div").line();
    html.element("p", (severalRuns
        ? "Medians over the seeds, and below them the quartiles, of the trainings that stayed finite. "
        : "") + "Gradient norms are of the weights, in the last step: of the first layer, and of the last hidden layer."
        + (networks.size() > MAX_LISTED ? " The first " + MAX_LISTED + " networks are listed." : ""), "class", "small").line();
    page.endSection();
  }

  private void drawRow(Markup html, int index) {
    StudyFigures of = networks.get(index);
    html.open("tr").element("th", label(index, of.network()), "scope", "row");
    html.element("td", of.network().shape(), "class", "word").element("td", of.network().activation(), "class", "word");
    if (severalRuns) {
      html.element("td", Figures.whole(of.network().runs().size())).element("td", Figures.whole(of.diverged()));
    }
    report.lossAtEpochs().forEach(epoch -> cell(html, of.lossAt(epoch)));
    cell(html, of.finalLoss());
    double[] norms = of.gradientNorms();
    html.element("td", Figures.brief(norms[0])).element("td", norms.length < 2 ? "-" : Figures.brief(norms[norms.length - 2]));
    html.element("td", Figures.seconds(of.seconds())).close("tr").line();
  }

  private void cell(Markup html, Spread spread) {
    html.open("td").text(Figures.brief(spread.median()));
    if (severalRuns) {
      html.element("div", "[" + Figures.brief(spread.low()) + ", " + Figures.brief(spread.high()) + "]", "class", "small");
    }
    html.close("td");
  }

  /** Losses at an epoch are before its updates, which is after those of the epochs before. */
  private void drawLosses(Page page) {
    List<StudyFigures> drawn = networks.subList(0, Math.min(MAX_CURVES, networks.size()));
    SortedSet<Integer> known = new TreeSet<>();
    drawn.forEach(of -> of.network().runs().forEach(run -> known.addAll(run.lossAtEpoch().keySet())));
    int[] epochs = known.stream().mapToInt(Integer::intValue).toArray();
    double[] x = IntStream.concat(Arrays.stream(epochs).map(epoch -> epoch - 1),
        IntStream.of(report.epochs())).asDoubleStream().toArray();
    List<Series> series = IntStream.range(0, drawn.size())
        .mapToObj(i -> new Series(Integer.toString(i + 1), i + 1, IntStream.range(0, x.length)
            .mapToDouble(at -> at < epochs.length ? drawn.get(i).lossAt(epochs[at]).median() : drawn.get(i).finalLoss().median())
            .toArray()))
        .toList();
    Markup html = page.html();
    page.startSection("losses", "Losses");
    html.open("div", "class", "charts").line();
    boolean curves = epochs.length > 0;
    if (curves) {
      LineChart chart = new LineChart("losses-chart", severalRuns ? "Loss, median over the seeds" : "Loss", "epochs done", x,
          series,
          "losses-table").withShortLabels();
      (x.length > 12 ? chart : chart.withPoints()).draw(html);
    }
    new LossRanking(networks).draw(html);
    html.close("div").line();
    html.open("ul", "class", "key").line();
    for (int i = 0; i < drawn.size(); i++) {
      html.open("li").open("svg", "viewBox", "0 0 34 10", "aria-hidden", "true")
          .empty("path", "class", "curve s" + i % LineChart.STYLES, "d", "M1 5L33 5").close();
      html.element("span", label(i, drawn.get(i).network())).close("li").line();
    }
    html.close("ul").line();
    if (curves) {
      List<String> heads = new ArrayList<>(List.of("epochs done"));
      series.forEach(of -> heads.add(of.name()));
      new NumberTable("losses-table", "Losses as a table", heads, x, series.stream().map(Series::values).toList()).draw(html, "");
    }
    if (drawn.size() < networks.size()) {
      html.element("p", "Curves are of the first " + MAX_CURVES + " networks of " + Figures.whole(networks.size()) + ".",
          "class", "small").line();
    }
    page.endSection();
  }

  private void drawGradients(Page page) {
    Markup html = page.html();
    page.startSection("gradients", "Gradient norms by layer");
    html.element("p", range(), "id", "gradient-sentence", "class", "finding").line();
    List<Integer> uneven = IntStream.range(0, networks.size())
        .boxed()
        .filter(i -> networks.get(i).layers() > 2 && GradientFlow.isUneven(networks.get(i).gradientNorms()))
        .toList();
    if (!uneven.isEmpty()) {
      html.open("ul").line();
      uneven.stream().limit(MAX_SENTENCES).forEach(i -> html.element("li",
          label(i, networks.get(i).network()) + ": " + GradientFlow.sentence("at the end",
              networks.get(i).gradientNorms())).line());
      html.close("ul").line();
    }
    new NormTable(networks).draw(html);
    page.endSection();
  }

  /** How far apart the networks are, and whether any is uneven over its depth. */
  private String range() {
    List<Integer> finite = IntStream.range(0, networks.size())
        .boxed()
        .filter(i -> networks.get(i).gradientNorms()[0] > 0 && Double.isFinite(networks.get(i).gradientNorms()[0]))
        .sorted(Comparator.comparingDouble(i -> networks.get(i).gradientNorms()[0]))
        .toList();
    if (finite.isEmpty()) {
      return "No network's first layer has a gradient that is finite and above 0.";
    }
    int least = finite.get(0);
    int most = finite.get(finite.size() - 1);
    double low = networks.get(least).gradientNorms()[0];
    double high = networks.get(most).gradientNorms()[0];
    String ends = least == most
        ? "At the end the first layer's gradient norm is " + Figures.brief(low) + " in "
        + label(least, networks.get(least).network()) + "."
        : "At the end the first layer's gradient norm lies between " + Figures.brief(low) + " in "
            + label(least, networks.get(least).network()) + " and " + Figures.brief(high) + " in "
            + label(most, networks.get(most).network()) + ", a factor of " + Figures.factor(high / low) + ".";
    List<StudyFigures> deep = networks.stream().filter(of -> of.layers() > 2).toList();
    return deep.isEmpty() || deep.stream().anyMatch(of -> GradientFlow.isUneven(of.gradientNorms()))
        ? ends
        : ends + " Between the last and the first hidden layer it changes by less than a factor of ten in every network.";
  }
}
