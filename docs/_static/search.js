// Sphinx leaves numbers out of a search, but readers look for 429.
if (typeof Search !== "undefined") {
  const parse = Search._parseQuery;
  Search._parseQuery = (query) => {
    const [text, terms, excluded, highlighted, objects] = parse(query);
    for (const number of query.match(/\b\d{3}\b/g) ?? []) {
      terms.add(number);
      highlighted.add(number);
    }
    return [text, terms, excluded, highlighted, objects];
  };
}
