// How well a page answers a search: Sphinx puts this object into its searchtools.js (html_search_scorer).
// Beside Sphinx's own numbers, a title counts by how many words of the query it has, and a guide before the reference.
var Scorer = {
  score: ([page, title, _anchor, description, score]) => {
    if (description) return score + 10; // a name of the reference
    const query = new URLSearchParams(window.location.search).get("q") || "";
    const stemmer = new Stemmer();
    const stems = (text) =>
      splitQuery(text.toLowerCase()).filter((word) => !stopwords.has(word)).map((word) => stemmer.stemWord(word));
    const wanted = new Set(stems(query));
    const inTitle = new Set(stems(title));
    const shared = [...wanted].filter((word) => inTitle.has(word)).length;
    const listing = /(^|\/)index$|^changelog$|^glossary$/.test(page) ? -20 : 0;
    const guide = /^(how-to|tutorial)\//.test(page) ? 4 : 0;
    return score + (20 * shared) / (wanted.size || 1) + (10 * shared) / (inTitle.size || 1) + guide + listing;
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
