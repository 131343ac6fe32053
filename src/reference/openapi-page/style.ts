/** Light and dark, from the width of a phone on. */
export const STYLE = `
:root{color-scheme:light dark;--text:#1c2330;--soft:#5b6575;--line:#dde2ea;--paper:#fff;--field:#f5f7fa;--link:#0b5cad;--get:#0b6b3a;--post:#0b5cad;--put:#8a5300;--delete:#a8232b;--other:#5b6575}
@media (prefers-color-scheme:dark){:root{--text:#e4e8ef;--soft:#9aa5b5;--line:#2e3644;--paper:#14181f;--field:#1c222c;--link:#7db7f5;--get:#5fcf95;--post:#7db7f5;--put:#e5b15c;--delete:#f58a90;--other:#9aa5b5}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.25rem 1rem 4rem;max-width:58rem;font:1rem/1.5 system-ui,sans-serif;color:var(--text);background:var(--paper);overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.2;margin:.2rem 0}
h2{font-size:1.15rem;margin:2.2rem 0 .6rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}
h3{font-size:1rem;margin:0;display:flex;flex-wrap:wrap;gap:.15rem .6rem;align-items:baseline}
h4{font-size:.8rem;margin:1.1rem 0 .3rem;color:var(--soft);text-transform:uppercase;letter-spacing:.04em}
a{color:var(--link)}
p{margin:.35rem 0}
code,pre{font:.875rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{margin:.35rem 0;padding:.6rem .75rem;background:var(--field);border:1px solid var(--line);border-radius:6px;overflow-x:auto;white-space:pre-wrap}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1.2rem;margin:.5rem 0}
.soft,.note,.limits,.type{color:var(--soft)}
.text{white-space:pre-line}
.note{display:block;white-space:pre-line}
.type,.limits{font-size:.875rem}
.list{list-style:none;margin:0;padding:0}
.list li{display:flex;flex-wrap:wrap;gap:0 .6rem;padding:.2rem 0}
.method{font:600 .8rem/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;min-width:3.6rem;color:var(--other)}
.get{color:var(--get)}.post{color:var(--post)}.put,.patch{color:var(--put)}.delete{color:var(--delete)}
article{margin:1rem 0;padding:.9rem 1rem;border:1px solid var(--line);border-radius:8px}
article:target{border-color:var(--link)}
.keys{margin:.2rem 0;padding-left:1.1rem;list-style:none;border-left:2px solid var(--line)}
.keys li{margin:.3rem 0}
b{font-weight:600;font-size:.875rem}
dl{margin:0;display:grid;grid-template-columns:minmax(3rem,max-content) 1fr;gap:.25rem .9rem}
dt{font-weight:600}dd{margin:0}
summary{cursor:pointer;color:var(--link);margin:.4rem 0}
@media (max-width:32rem){article{padding:.75rem .7rem}.list li{padding:.35rem 0}.list .soft{flex-basis:100%}}
`
