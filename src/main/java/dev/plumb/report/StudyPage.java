package dev.plumb.report;

import dev.plumb.report.LineChart.Series;
import dev.plumb.report.NetworkSummary.Spread;
import dev.plumb.report.StudyReport.Network;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** The page of a {@link StudyReport}. Networks are numbered; all charts and tables use the same numbers. */
final class StudyPage {
  /** More curves in one drawing cannot be told apart. */
  private static final int MAX_CURVES = 12;

  private static final int MAX_LISTED = 500;
  private static final int MAX_SENTENCES = 8;

  private final StudyReport report;
  private final List<NetworkSummary> networks;
  private final boolean severalRuns;

  StudyPage(StudyReport report) {
    this.report = report;
    networks = report.networks().stream().map(NetworkSummary::new).toList();
    severalRuns = report.networks().stream().anyMatch(network -> network.runs().size() > 1);
  }

  byte[] html() {
    Page page = new Page(report.title(), "Study report");
    page.notes(report.notes());
    long diverged = networks.stream().mapToLong(NetworkSummary::diverged).sum();
    long runs = networks.stream().mapToLong(summary -> summary.network().runs().size()).sum();
    if (diverged > 0) {
      page.notes(List.of(Format.whole(diverged) + " of " + Format.whole(runs) + (runs == 1 ? " run" : " runs")
          + " diverged: losses or gradients became non-finite."));
    }
    page.tiles(List.of(
        Map.entry("networks", Format.whole(networks.size())),
        Map.entry("runs", Format.whole(runs)),
        Map.entry("epochs", Format.whole(report.epochs())),
        Map.entry("training time", Format.seconds(networks.stream().mapToDouble(NetworkSummary::seconds).sum()))));
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
    html.open("table", "class", "numbers wrapped", "id", "results-table").line();
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
        ? "Medians over the seeds, with quartiles below, of the runs that did not diverge. "
        : "") + "Gradient norms: Frobenius norms of the weight gradients in the last step, of the first layer and of the last"
        + " hidden layer."
        + (networks.size() > MAX_LISTED ? " Only the first " + MAX_LISTED + " networks are listed." : ""), "class", "small").line();
    page.endSection();
  }

  private void drawRow(Markup html, int index) {
    NetworkSummary summary = networks.get(index);
    html.open("tr").element("th", label(index, summary.network()), "scope", "row");
    html.element("td", summary.network().shape(), "class", "word").element("td", summary.network().activation(), "class", "word");
    if (severalRuns) {
      html.element("td", Format.whole(summary.network().runs().size())).element("td", Format.whole(summary.diverged()));
    }
    report.lossAtEpochs().forEach(epoch -> cell(html, summary.lossAt(epoch)));
    cell(html, summary.finalLoss());
    double[] norms = summary.gradientNorms();
    html.element("td", Format.brief(norms[0])).element("td", norms.length < 2 ? "-" : Format.brief(norms[norms.length - 2]));
    html.element("td", Format.seconds(summary.seconds())).close("tr").line();
  }

  private void cell(Markup html, Spread spread) {
    html.open("td").text(Format.brief(spread.median()));
    if (severalRuns) {
      html.element("div", "[" + Format.brief(spread.low()) + ", " + Format.brief(spread.high()) + "]", "class", "small");
    }
    html.close("td");
  }

  /** Draws the losses. The loss at an epoch is that before its updates, so it is drawn at the number of completed epochs. */
  private void drawLosses(Page page) {
    List<NetworkSummary> drawn = networks.subList(0, Math.min(MAX_CURVES, networks.size()));
    SortedSet<Integer> known = new TreeSet<>();
    drawn.forEach(summary -> summary.network().runs().forEach(run -> known.addAll(run.lossAtEpoch().keySet())));
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
      LineChart chart = new LineChart("losses-chart", severalRuns ? "Loss, median over the seeds" : "Loss", "completed epochs", x,
          series, "losses-table").withShortLabels();
      (x.length > 12 ? chart : chart.withPoints()).draw(html);
    }
    new LossRanking(networks).draw(html);
    html.close("div").line();
    LineChart.drawKey(html, IntStream.range(0, drawn.size()).mapToObj(i -> label(i, drawn.get(i).network())).toList());
    if (curves) {
      List<String> heads = new ArrayList<>(List.of("completed epochs"));
      series.forEach(curve -> heads.add(curve.name()));
      new NumberTable("losses-table", "Table of losses", heads, x, series.stream().map(Series::values).toList()).draw(html, "");
    }
    if (drawn.size() < networks.size()) {
      html.element("p", "The curves are those of the first " + MAX_CURVES + " of " + Format.whole(networks.size()) + " networks.",
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

  /** Returns sentences on the range of the networks' gradient norms, and on their change over the depth. */
  private String range() {
    List<Integer> finite = IntStream.range(0, networks.size())
        .boxed()
        .filter(i -> networks.get(i).gradientNorms()[0] > 0 && Double.isFinite(networks.get(i).gradientNorms()[0]))
        .sorted(Comparator.comparingDouble(i -> networks.get(i).gradientNorms()[0]))
        .toList();
    if (finite.isEmpty()) {
      return "In no network is the first layer's gradient norm finite and positive.";
    }
    int smallest = finite.get(0);
    int largest = finite.get(finite.size() - 1);
    double low = networks.get(smallest).gradientNorms()[0];
    double high = networks.get(largest).gradientNorms()[0];
    String range = smallest == largest
        ? "At the end the first layer's gradient norm is " + Format.brief(low) + " in "
        + label(smallest, networks.get(smallest).network()) + "."
        : "At the end the first layer's gradient norm is between " + Format.brief(low) + " in "
            + label(smallest, networks.get(smallest).network()) + " and " + Format.brief(high) + " in "
            + label(largest, networks.get(largest).network()) + ", a factor of " + Format.factor(high / low) + ".";
    List<NetworkSummary> deep = networks.stream().filter(summary -> summary.layers() > 2).toList();
    return deep.isEmpty() || deep.stream().anyMatch(summary -> GradientFlow.isUneven(summary.gradientNorms()))
        ? range
        : range + " In every network it changes by less than a factor of 10 between the last and the first hidden layer.";
  }
}
