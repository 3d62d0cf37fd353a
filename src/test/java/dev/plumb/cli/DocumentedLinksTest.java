package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Links of README.md and of the site's pages to files of the repository and to headings. */
class DocumentedLinksTest {
  /** Files that the site has in the folder of its pages. */
  private static final Path RESOURCES = Path.of("src/site/resources");
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)#\\s]*)(?:#([^)\\s]*))?(?:\\s+\"[^\"]*\")?\\)");
  private static final Pattern HEADING = Pattern.compile("#+ (?:<a id=\"([^\"]*)\"></a>)?(.*)");

  /** GitHub makes identifiers of headings, the site others, so that a linked heading has one of its own, equal to GitHub's. */
  @Test
  void linksLeadToFilesAndHeadings() throws IOException {
    List<String> broken = new ArrayList<>();
    int anchors = 0;
    for (DocumentedPage page : DocumentedPage.all()) {
      Matcher link = LINK.matcher(String.join("\n", page.lines()));
      while (link.find()) {
        String file = link.group(1);
        if (file.contains(":")) {
          continue;
        }
        Path target = file.isEmpty() ? page.path() : page.path().resolveSibling(file).normalize();
        boolean exists = Files.exists(target) || page.path().startsWith(DocumentedPage.SITE) && Files.exists(RESOURCES.resolve(file));
        anchors += link.group(2) == null ? 0 : 1;
        if (!exists || link.group(2) != null && !hasHeading(target, link.group(2))) {
          broken.add(page.path() + ": " + link.group());
        }
      }
    }
    assertEquals(List.of(), broken);
    assertTrue(anchors > 10, anchors + " links to headings");
  }

  private static boolean hasHeading(Path page, String id) throws IOException {
    return Files.readAllLines(page).stream().map(HEADING::matcher)
        .anyMatch(heading -> heading.matches() && id.equals(heading.group(1)) && id.equals(idOnGitHub(heading.group(2))));
  }

  private static String idOnGitHub(String heading) {
    return heading.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9 _-]", "").replace(' ', '-');
  }
}
