// The stylesheet of the server's own pages. It is small enough to be inlined; the content security policy has its hash.

export const stylesheet = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --raised: #ffffff; --ink: #1c1b1a; --soft: #65625c; --line: #e4e1da;
  --accent: #0a6b50; --good: #16794f; --bad: #b3261e; --dim: #8a6a1f; --code: #f3f1ec;
  --sans: ui-sans-serif, system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131416; --raised: #1a1c1f; --ink: #e9e7e2; --soft: #a19d95; --line: #2c2e32;
    --accent: #6fd3ae; --good: #5fcf9d; --bad: #ff8a80; --dim: #e0b95a; --code: #202327;
  }
}
* { box-sizing: border-box; }
html { font: 100%/1.6 var(--sans); background: var(--paper); color: var(--ink); -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 3.5rem 1.5rem 5rem; max-width: 47rem; }
body.wide { max-width: 66rem; }
h1, h2, h3 { line-height: 1.2; letter-spacing: -0.015em; text-wrap: balance; margin: 0; }
h1 { font-size: clamp(2rem, 5vw, 2.75rem); font-weight: 700; }
h2 { font-size: 1.25rem; font-weight: 650; margin-top: 3rem; }
h3 { font-size: 1.0625rem; font-weight: 650; }
p { margin: 0.6rem 0; max-width: 42rem; text-wrap: pretty; }
.lead { font-size: 1.1875rem; line-height: 1.55; color: var(--soft); margin: 0.9rem 0 0; }
.soft { color: var(--soft); }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: 0.18em; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; border-radius: 3px; }
code, pre { font-family: var(--mono); font-size: 0.875em; font-variant-ligatures: none; }
code { background: var(--code); border-radius: 4px; padding: 0.1em 0.35em; overflow-wrap: anywhere; }
pre { background: var(--code); border: 1px solid var(--line); border-radius: 8px; margin: 0.6rem 0 0;
  padding: 0.75rem 1rem; overflow-x: auto; line-height: 1.5; tab-size: 2; }
pre code { background: none; padding: 0; font-size: 1em; overflow-wrap: normal; }
.masthead { display: flex; align-items: center; gap: 0.6rem; margin-bottom: 2.75rem; font-size: 0.9375rem; }
.masthead svg { width: 1.5rem; height: 1.5rem; flex: none; }
.masthead strong { font-weight: 650; letter-spacing: -0.01em; }
.masthead a { color: inherit; text-decoration: none; display: flex; align-items: center; gap: 0.6rem; }
.masthead nav { margin-left: auto; display: flex; gap: 1.1rem; }
.masthead nav a { color: var(--soft); }
.masthead nav a:hover { color: var(--accent); }
.checks { display: grid; grid-template-columns: repeat(auto-fit, minmax(12.5rem, 1fr)); gap: 1px; margin: 2.25rem 0 0;
  padding: 0; list-style: none; background: var(--line); border: 1px solid var(--line); border-radius: 10px;
  overflow: hidden; }
.checks li { background: var(--raised); padding: 0.9rem 1.1rem; font-size: 0.9375rem; line-height: 1.45; }
.checks b { display: flex; align-items: center; gap: 0.5rem; font-weight: 600; }
.checks b::before { content: ""; width: 0.5rem; height: 0.5rem; border-radius: 50%; background: var(--dim); flex: none; }
.checks .healthy b::before { background: var(--good); }
.checks .unhealthy b::before { background: var(--bad); }
.checks .unhealthy span { color: var(--bad); }
.checks code { white-space: nowrap; }
.checks span { color: var(--soft); overflow-wrap: anywhere; }
ol.steps { counter-reset: step; list-style: none; margin: 1.1rem 0 0; padding: 0; }
ol.steps > li { counter-increment: step; position: relative; padding: 0 0 1.5rem 2.6rem; }
ol.steps > li::before { content: counter(step); position: absolute; left: 0; top: 0.05rem; width: 1.6rem; height: 1.6rem;
  border-radius: 50%; border: 1px solid var(--line); background: var(--raised); color: var(--soft); display: grid;
  place-items: center; font-size: 0.8125rem; font-variant-numeric: tabular-nums; }
ol.steps > li:not(:last-child)::after { content: ""; position: absolute; left: 0.8rem; top: 1.9rem; bottom: 0.2rem;
  border-left: 1px solid var(--line); }
ol.steps p { margin: 0; }
.lead + .links { margin-top: 2rem; }
.links { list-style: none; margin: 1rem 0 0; padding: 0; border-top: 1px solid var(--line); }
.links li { border-bottom: 1px solid var(--line); padding: 0.6rem 0; display: grid;
  grid-template-columns: minmax(9rem, 1fr) 3fr; gap: 0 1.25rem; }
.links span { color: var(--soft); }
footer { margin-top: 3.5rem; color: var(--soft); font-size: 0.875rem; }
.columns { display: grid; grid-template-columns: 13rem minmax(0, 1fr); gap: 3rem; align-items: start;
  margin-top: 2.75rem; }
.columns main > h2:first-child { margin-top: 0; }
.toc { position: sticky; top: 1.5rem; max-height: calc(100vh - 3rem); overflow-y: auto; font-size: 0.875rem; line-height: 1.4;
  padding-right: 0.5rem; scrollbar-width: thin; }
.toc h2 { font-size: 0.75rem; color: var(--soft); margin: 1.2rem 0 0.35rem; letter-spacing: 0.03em; text-transform: uppercase; }
.toc h2:first-child { margin-top: 0; }
.toc ul { list-style: none; margin: 0; padding: 0; }
.toc a { display: block; padding: 0.16rem 0; color: var(--ink); text-decoration: none; overflow-wrap: anywhere; }
.toc a:hover { color: var(--accent); }
article { border-top: 1px solid var(--line); padding: 1.4rem 0 1.1rem; scroll-margin-top: 0.5rem; }
article:target { box-shadow: -0.9rem 0 0 var(--paper), calc(-0.9rem - 3px) 0 0 var(--accent); }
h2 + article { margin-top: 1rem; }
.route { margin: 0.5rem 0; font-family: var(--mono); font-size: 0.875rem; overflow-wrap: anywhere; }
.route b { color: var(--accent); font-weight: 650; margin-right: 0.5rem; }
.tag { font-size: 0.75rem; font-weight: 500; color: var(--dim); border: 1px solid currentcolor; border-radius: 99px;
  padding: 0.05rem 0.5rem; margin-left: 0.5rem; vertical-align: 0.12em; letter-spacing: 0; }
article > ul { max-width: 42rem; margin: 0.6rem 0; padding-left: 1.2rem; }
dl { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr); gap: 0.3rem 1rem; margin: 0.8rem 0 0; font-size: 0.9375rem; }
dt { color: var(--soft); }
dd { margin: 0; }
dd ul { margin: 0; padding-left: 1.1rem; }
dd > ul { padding: 0; list-style: none; }
.example { margin-top: 0.9rem; font-size: 0.9375rem; }
.example summary { cursor: pointer; color: var(--accent); width: fit-content; }
.example p { margin: 0.8rem 0 0; color: var(--soft); font-size: 0.875rem; }
.example pre { margin-top: 0.25rem; }
.scroll { overflow-x: auto; margin-top: 0.8rem; }
table { border-collapse: collapse; font-size: 0.875rem; line-height: 1.5; width: 100%; }
th { text-align: left; font-weight: 500; color: var(--soft); }
th, td { padding: 0.35rem 1rem 0.35rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 0; }
td:first-child { white-space: nowrap; }
td.form { padding-top: 1rem; color: var(--soft); white-space: normal; }
td:nth-last-child(2) { color: var(--soft); }
@media (max-width: 50rem) {
  body { padding-top: 2rem; }
  .masthead { margin-bottom: 2rem; }
  .columns { display: block; }
  .toc { position: static; max-height: 14rem; border: 1px solid var(--line); border-radius: 8px; padding: 0.8rem 1rem; }
  .links li, .links span { display: block; }
  dl { display: block; }
  dd { margin-bottom: 0.5rem; }
  td:first-child { white-space: normal; }
}
`;
