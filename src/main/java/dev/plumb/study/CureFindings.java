package dev.plumb.study;

import dev.plumb.model.Activation;
import dev.plumb.study.Finding.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The sentences about {@link DepthCures}. Verdicts follow from 95 % intervals: a cure lets a network learn if significantly more
 * than half of the seeds learn, and significantly more than without it; it does so in part if only the second is true.
 */
final class CureFindings {
  private static final List<Cure> STRUCTURES = List.of(Cure.BATCH, Cure.LAYER, Cure.RESIDUAL, Cure.BATCH_RESIDUAL, Cure.LAYER_RESIDUAL);

  private static final List<Cure> INITIALIZERS = Arrays.stream(Cure.values()).filter(Cure::isInitializer).toList();
  private static final String NO_DEPTH = "none";

  private final DepthCures cures;
  private final CellFigures figures;

  CureFindings(DepthCures cures, CellFigures figures) {
    this.cures = cures;
    this.figures = figures;
  }

  List<Finding> all() {
    List<Finding> findings = new ArrayList<>(List.of(initializers()));
    STRUCTURES.forEach(cure -> findings.add(structure(cure)));
    findings.add(relu("Every other initializer lowers the final loss of the very deep relu network.", INITIALIZERS));
    findings.add(relu("Normalization and residual connections also lower the final loss of the very deep relu network.", STRUCTURES));
    DepthCures.ACTIVATIONS.forEach(activation -> findings.add(depths(activation)));
    findings.add(lowest());
    return findings;
  }

  private Finding initializers() {
    Study.Cell plain = sigmoid(Cure.PLAIN);
    String lowest = lowest(Activation.SIGMOID, INITIALIZERS).map(cure -> " The lowest median of their final losses is "
        + loss(sigmoid(cure)) + " (" + cure.label() + "), plain " + loss(plain) + ".").orElse("");
    return new Finding("With another initializer, the very deep sigmoid network learns.",
        INITIALIZERS.stream().map(this::verdict).min(Comparator.naturalOrder()).orElseThrow(),
        String.format(Locale.ROOT, "A network has learned if its final loss is below %.2f of the best constant's loss (%s). D sigmoid"
            + " learns in this proportion of the seeds: ", CellFigures.NOTHING, StudyFindings.brief(figures.constantLoss()))
            + list(INITIALIZERS, cure -> learned(sigmoid(cure))) + "; plain, from the notebook's initializer, "
            + learned(plain) + "." + lowest + " In the first step each layer divides the gradient norm by: "
            + list(INITIALIZERS, cure -> fall(cures.firstFall(sigmoid(cure)))) + "; plain " + fall(cures.firstFall(plain)) + ".");
  }

  private Finding structure(Cure cure) {
    Study.Cell cell = sigmoid(cure);
    Study.Cell plain = sigmoid(Cure.PLAIN);
    Proportion smaller = figures.pairs(cell, plain, (one, other) -> one.fallPerLayer(0) < other.fallPerLayer(0));
    return new Finding("With " + cure.label() + ", the very deep sigmoid network learns.", verdict(cure),
        "D sigmoid learns in " + learned(cell) + " of the seeds, plain in " + learned(plain) + ". Its final loss is " + loss(cell)
            + ", plain " + loss(plain) + "; it ends below plain in " + cures.below(cell, plain) + ". In the first step each layer divides"
            + " the gradient norm by " + fall(cures.firstFall(cell)) + ", plain by " + fall(cures.firstFall(plain))
            + "; the factor is smaller than plain's in " + smaller + ". In the last step it is " + fall(cures.lastFall(cell))
            + ", plain " + fall(cures.lastFall(plain)) + "."
            + (cures.diverged(cell).count() > 0 ? " Diverged: " + cures.diverged(cell) + "." : ""));
  }

  /** Compares cures with the plain relu network, on the same seeds. */
  private Finding relu(String claim, List<Cure> some) {
    Study.Cell plain = relu(Cure.PLAIN);
    List<Cure> lower = some.stream().filter(cure -> cures.below(relu(cure), plain).isMost()).toList();
    List<Cure> higher = some.stream().filter(cure -> cures.below(relu(cure), plain).isMinority()).toList();
    List<Cure> neither = some.stream().filter(cure -> !lower.contains(cure) && !higher.contains(cure)).toList();
    return new Finding(claim, lower.size() == some.size() ? Verdict.HELD : lower.isEmpty() ? Verdict.NOT : Verdict.IN_PART,
        "The final loss of D relu, plain, is " + loss(plain) + "." + compared(
            " It is lower in significantly more than half of the seeds with ", lower, plain) + compared(
            " It is lower in significantly less than half of the seeds with ", higher, plain) + compared(
            " There is no significant difference with ", neither, plain)
            + diverged(some));
  }

  private String compared(String start, List<Cure> some, Study.Cell plain) {
    return some.isEmpty() ? "" : start + some.stream().map(cure -> cure.label() + " (" + cures.below(relu(cure), plain) + ", final loss "
        + loss(relu(cure)) + ")").collect(Collectors.joining(", ")) + ".";
  }

  private Finding depths(Activation activation) {
    int deepest = DepthCures.DEPTHS.get(DepthCures.DEPTHS.size() - 1);
    List<Cure> swept = DepthCures.swept(activation);
    boolean any = swept.stream().anyMatch(cure -> learned(cures.cell(activation, cure, deepest)).isMost());
    List<String> diverging = swept.stream().map(cure -> cure.label() + " " + depths(activation, cure, cures::diverged))
        .filter(text -> !text.endsWith(NO_DEPTH)).toList();
    Study study = cures.result().study();
    return new Finding("Plain or with a cure, " + activation.key() + " networks of " + deepest + " hidden layers learn.",
        any ? Verdict.HELD : Verdict.NOT, "Of " + DepthCures.DEPTHS.stream().map(depth -> Integer.toString(depth))
            .collect(Collectors.joining(", ")) + " hidden layers, networks learn in significantly more than half of the seeds with: "
            + list(swept, cure -> depths(activation, cure, this::learned)) + "."
            + (diverging.isEmpty() ? "" : " They diverge in significantly more than half of the seeds with: "
                + String.join(", ", diverging) + ".")
            + (study.seeds() > DepthCures.MAX_SEEDS ? String.format(Locale.ROOT, " Networks that are not among the notebook's and have"
                + " other than %d hidden layers are trained from the first %d of the %,d seeds.", DepthCures.DEPTH,
                DepthCures.MAX_SEEDS, study.seeds()) : ""));
  }

  /** Returns the numbers of hidden layers for which a proportion is significantly more than half: "up to 8", "2 and 16", "none". */
  private String depths(Activation activation, Cure cure, Function<Study.Cell, Proportion> proportion) {
    List<Integer> most =
        DepthCures.DEPTHS.stream().filter(depth -> proportion.apply(cures.cell(activation, cure, depth)).isMost()).toList();
    boolean first = most.size() > 1 && most.equals(DepthCures.DEPTHS.subList(0, most.size()));
    return most.isEmpty() ? NO_DEPTH : first ? "up to " + most.get(most.size() - 1)
        : most.stream().map(depth -> Integer.toString(depth)).collect(Collectors.joining(" and "));
  }

  private Finding lowest() {
    Study.Cell plain = relu(Cure.PLAIN);
    Optional<Cure> sigmoid = lowest(Activation.SIGMOID, List.of(Cure.values()));
    Optional<Cure> relu = lowest(Activation.RELU, List.of(Cure.values()));
    if (sigmoid.isEmpty() || relu.isEmpty()) {
      return new Finding("Lowest final losses", Verdict.MEASURED, "All networks of an activation diverged.");
    }
    return new Finding("Lowest final losses", Verdict.MEASURED, "The lowest median of the very deep networks is, with sigmoid, "
        + loss(sigmoid(sigmoid.get())) + " (" + sigmoid.get().label() + "); with relu " + loss(relu(relu.get())) + " ("
        + relu.get().label() + "). This sigmoid network ends below plain relu in " + cures.below(sigmoid(sigmoid.get()), plain)
        + " of the seeds, and below this relu network in " + cures.below(sigmoid(sigmoid.get()), relu(relu.get())) + ".");
  }

  /** Returns the cure of the very deep network with the lowest median of the final loss; empty if all networks diverged. */
  private Optional<Cure> lowest(Activation activation, List<Cure> some) {
    return some.stream().filter(cure -> !Double.isNaN(cures.finalLoss(deep(activation, cure)).median()))
        .min(Comparator.comparingDouble(cure -> cures.finalLoss(deep(activation, cure)).median()));
  }

  private Verdict verdict(Cure cure) {
    Proportion learned = learned(sigmoid(cure));
    boolean more = learned.low() > learned(sigmoid(Cure.PLAIN)).high();
    return !more ? Verdict.NOT : learned.isMost() ? Verdict.HELD : Verdict.IN_PART;
  }

  /** Returns a sentence on the relu networks that diverged; empty if none did. */
  private String diverged(List<Cure> some) {
    List<Cure> diverging = some.stream().filter(cure -> cures.diverged(relu(cure)).count() > 0).toList();
    return diverging.isEmpty() ? "" : " Diverged: " + list(diverging, cure -> cures.diverged(relu(cure))) + ".";
  }

  private interface Figure {
    Object of(Cure cure);
  }

  private static String list(List<Cure> some, Figure figure) {
    return some.stream().map(cure -> cure.label() + " " + figure.of(cure)).collect(Collectors.joining(", "));
  }

  private Proportion learned(Study.Cell cell) {
    return cures.learned(cell);
  }

  private String loss(Study.Cell cell) {
    return StudyFindings.spread(cures.finalLoss(cell));
  }

  private static String fall(Quartiles fall) {
    return StudyFindings.spread(fall);
  }

  private Study.Cell sigmoid(Cure cure) {
    return deep(Activation.SIGMOID, cure);
  }

  private Study.Cell relu(Cure cure) {
    return deep(Activation.RELU, cure);
  }

  private Study.Cell deep(Activation activation, Cure cure) {
    return cures.cell(activation, cure, DepthCures.DEPTH);
  }
}
