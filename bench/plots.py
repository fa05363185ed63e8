#!/usr/bin/env python3
"""report.html out of a report: plots as SVG and a table, in one file that needs no network.

  plots.py report.json README.md    puts the table into the README, and plot.svg beside this file
"""

import html
import json
import math
import pathlib
import statistics
import sys

COLOURS = {"latchkey": "#c2410c", "floor": "#6b7280", "lmdb": "#2563eb", "sqlite": "#059669",
           "sqlite_reference": "#7c3aed", "redis": "#b91c1c", "postgres": "#0e7490"}
OTHERS = ("#c2410c", "#2563eb", "#059669", "#7c3aed", "#b45309")
NAMES = {"sqlite": "SQLite, tuned", "sqlite_reference": "SQLite, reference",
         "lmdb": "LMDB", "redis": "Redis", "postgres": "PostgreSQL"}
WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 76, 200, 40, 46
ENGINES = ("floor", "latchkey", "lmdb", "sqlite", "sqlite_reference", "redis", "postgres")


def short(number):
    """1234567 as 1.2M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}"


class Scale:
    """From values to places, along a logarithm or straight."""

    def __init__(self, values, low, high, logarithmic):
        self.logarithmic = logarithmic
        if logarithmic:
            values = [math.log10(max(value, 1e-9)) for value in values]
            self.first, self.last = math.floor(min(values)), math.ceil(max(values))
            self.last = max(self.last, self.first + 1)
        else:
            self.first, self.last = 0, max(values) * 1.08 or 1
        self.low, self.high = low, high

    def place(self, value):
        value = math.log10(max(value, 1e-9)) if self.logarithmic else value
        return self.low + (value - self.first) / (self.last - self.first) * (self.high - self.low)

    def ticks(self):
        if self.logarithmic:
            return [10.0 ** power for power in range(self.first, self.last + 1)]
        step = 10 ** math.floor(math.log10(self.last))
        step = next(step * part for part in (0.1, 0.2, 0.25, 0.5, 1, 2)
                    if self.last / (step * part) <= 7)
        return [step * count for count in range(int(self.last / step) + 1)]


def frame(title, x_label, y_label, inside):
    middle = (LEFT + WIDTH - RIGHT) / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}"'
        f' height="{HEIGHT}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>\n'
        f'<text x="{LEFT}" y="22" font-size="15" fill="#111827">{html.escape(title)}</text>\n'
        f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle" fill="#374151">'
        f'{html.escape(x_label)}</text>\n'
        f'<text transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)"'
        f' text-anchor="middle" fill="#374151">{html.escape(y_label)}</text>\n'
        + "\n".join(inside) + "\n</svg>\n")


def y_axis(scale):
    out = []
    for tick in scale.ticks():
        y = scale.place(tick)
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"'
                   ' stroke="#e5e7eb"/>'
                   f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#374151">'
                   f'{short(tick)}</text>')
    return out


def legend(names):
    out = []
    for row, (name, colour) in enumerate(names):
        y = TOP + 12 + 20 * row
        out.append(f'<rect x="{WIDTH - RIGHT + 14}" y="{y - 9}" width="10" height="10"'
                   f' fill="{colour}"/><text x="{WIDTH - RIGHT + 30}" y="{y}" fill="#111827">'
                   f'{html.escape(name)}</text>')
    return out


def lines(title, x_label, y_label, curves, x_ticks=None, log_x=True, log_y=True):
    """`curves`: name, colour, [(x, y, low, high)]. A bar shows the spread where there is one."""
    curves = [curve for curve in curves if curve[2]]
    if not curves:
        return ""
    xs = [point[0] for _, _, points in curves for point in points]
    ys = [y for _, _, points in curves for point in points for y in point[1:]]
    x_scale = Scale(xs, LEFT, WIDTH - RIGHT, log_x)
    y_scale = Scale(ys, HEIGHT - BOTTOM, TOP, log_y)
    inside = y_axis(y_scale)
    for tick, text in x_ticks or [(tick, short(tick)) for tick in x_scale.ticks()]:
        inside.append(f'<text x="{x_scale.place(tick):.1f}" y="{HEIGHT - BOTTOM + 16}"'
                      f' text-anchor="middle" fill="#374151">{html.escape(text)}</text>')
    for _, colour, points in curves:
        path = " ".join(f"{x_scale.place(p[0]):.1f},{y_scale.place(p[1]):.1f}" for p in points)
        inside.append(f'<polyline points="{path}" fill="none" stroke="{colour}"'
                      ' stroke-width="2"/>')
        for x, y, low, high in points:
            if len(points) > 20:
                break
            at = x_scale.place(x)
            inside.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y_scale.place(low):.1f}"'
                          f' y2="{y_scale.place(high):.1f}" stroke="{colour}"/>'
                          f'<circle cx="{at:.1f}" cy="{y_scale.place(y):.1f}" r="3"'
                          f' fill="{colour}"/>')
    inside += legend([(name, colour) for name, colour, _ in curves])
    return frame(title, x_label, y_label, inside)


def bars(title, y_label, groups, names, log_y=True):
    """`groups`: text below, {name: value}."""
    values = [value for _, group in groups for value in group.values()]
    if not values:
        return ""
    scale = Scale(values, HEIGHT - BOTTOM, TOP, log_y)
    inside = y_axis(scale)
    room = (WIDTH - RIGHT - LEFT) / len(groups)
    width = room * 0.8 / len(names)
    for place, (text, group) in enumerate(groups):
        left = LEFT + room * place + room * 0.1
        for position, name in enumerate(names):
            if name not in group:
                continue
            top = scale.place(group[name])
            inside.append(
                f'<rect x="{left + width * position:.1f}" y="{top:.1f}" width="{width * 0.9:.1f}"'
                f' height="{HEIGHT - BOTTOM - top:.1f}" fill="{OTHERS[position % 5]}"/>'
                f'<text x="{left + width * (position + 0.45):.1f}" y="{top - 3:.1f}"'
                f' text-anchor="middle" font-size="10">{short(group[name])}</text>')
        inside.append(f'<text x="{left + room * 0.4:.1f}" y="{HEIGHT - BOTTOM + 16}"'
                      f' text-anchor="middle" fill="#374151">{html.escape(text)}</text>')
    inside += legend([(name, OTHERS[place % 5]) for place, name in enumerate(names)])
    return frame(title, "", y_label, inside)


def table_of(report):
    """(what, engine, population) -> samples."""
    return {(one["what"], one["engine"], one["population"]): one["samples"]
            for one in report["series"] if one["samples"]}


def populations(series, what):
    return sorted({name[2] for name in series if name[0] == what})


def text_of(population):
    return short(population).replace(".0", "")


def population_plot(report):
    series = table_of(report)
    curves = []
    for engine in ENGINES:
        points = []
        for population in populations(series, "hit"):
            samples = series.get(("hit", engine, population))
            if samples:
                points.append((population, statistics.median(samples), min(samples), max(samples)))
        curves.append((NAMES.get(engine, engine), COLOURS[engine], points))
    ticks = [(population, text_of(population)) for population in populations(series, "hit")]
    machine = report["machine"]
    title = (f"Verifying one key: {machine['processor']}, {machine['cores']} cores, "
             f"{report['date']}")
    return lines(title, "keys in the store", "ns, processor time", curves, ticks)


def distribution_plot(series):
    places = [0.01 * percent for percent in range(1, 100)] + [0.995, 0.999, 0.9999]
    curves = []
    at = max(populations(series, "distribution"), default=None)
    for engine in ENGINES:
        samples = series.get(("distribution", engine, at), [])
        points = [(1 / (1 - place), ns, ns, ns) for place, ns in zip(places, samples)]
        curves.append((NAMES.get(engine, engine), COLOURS[engine], points))
    ticks = [(2, "50 %"), (10, "90 %"), (100, "99 %"), (1000, "99.9 %"), (10000, "99.99 %")]
    return lines(f"Latency of one verification, {text_of(at or 0)} keys, clock included",
                 "part of the calls that are faster", "ns, wall clock", curves, ticks)


def threads_plot(series):
    groups = []
    for threads in (1, 2):
        group = {}
        for engine in ("latchkey", "floor"):
            for name, samples in series.items():
                if name[0] == f"threads_{threads}" and name[1] == engine:
                    group[engine] = statistics.median(samples) / 1e6
        groups.append((f"{threads} thread" + "s" * (threads > 1), group))
    return bars("Verifications on threads", "million a second", groups, ("latchkey", "floor"),
                log_y=False)


def places_plot(series):
    names, groups = set(), []
    for what, text in (("page_first", "first"), ("page_quarter", "a quarter in"),
                       ("page_middle", "middle"), ("page_last", "last")):
        group = {}
        for name, samples in series.items():
            if name[0] == what:
                group[f"{NAMES.get(name[1], name[1])}, {text_of(name[2])}"] = (
                    statistics.median(samples) / 1e3)
        names |= set(group)
        groups.append((text, group))
    return bars("A page of 8 by its place (ours with the total)", "us, processor time", groups,
                sorted(names, reverse=True))


def searches_plot(series):
    names, groups = set(), []
    for what, text in (("search_common", "common"), ("search_rare", "rare"),
                       ("search_absent", "absent"), ("search_hex", "hexadecimal"),
                       ("search_one_letter", "1 letter")):
        group = {text_of(name[2]) + " keys": statistics.median(samples) / 1e6
                 for name, samples in series.items() if name[0] == what}
        names |= set(group)
        groups.append((text, group))
    return bars("A search of 4 letters: page and exact total", "ms, processor time", groups,
                sorted(names))


def classes_plot(series):
    classes = ("right", "unknown", "one_bit_off", "revoked", "expired", "locked")
    groups = []
    for one in classes:
        group = {text_of(name[2]) + " keys": statistics.median(samples)
                 for name, samples in series.items() if name[0] == f"class_{one}"}
        groups.append((one.replace("_", " "), group))
    names = sorted({name for _, group in groups for name in group})
    return bars("Verifying a key of each class", "ns, processor time", groups, names, log_y=False)


def number(value):
    if value == 0 or value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def target_text(one):
    if "target" not in one:
        return ""
    sign = "&le;" if one["target"]["sign"] == "<=" else "&ge;"
    return f"{sign} {number(one['target']['number'])}"


STYLE = """body{font:15px/1.5 sans-serif;max-width:62em;margin:2em auto;padding:0 1em;color:#111827}
table{border-collapse:collapse}td,th{padding:.15em .7em;border-bottom:1px solid #e5e7eb;
text-align:right}td:first-child,th:first-child{text-align:left;font-family:monospace}
.miss{color:#b91c1c;font-weight:bold}.met{color:#15803d}svg{max-width:100%;height:auto}"""


def page(report):
    series = table_of(report)
    plots = [population_plot(report), distribution_plot(series), threads_plot(series),
             classes_plot(series), places_plot(series), searches_plot(series)]
    rows = []
    for key, one in report["figures"].items():
        verdict = {True: '<td class="met">met</td>', False: '<td class="miss">missed</td>'}.get(
            one.get("met"), "<td></td>")
        low, high = one["spread"]
        rows.append(f"<tr><td>{key}</td><td>{number(one['value'])}</td><td>{one['unit']}</td>"
                    f"<td>{target_text(one)}</td>{verdict}<td>{number(low)}..{number(high)}</td>"
                    f"<td>{one['n']}</td></tr>")
    machine = ", ".join(f"{name.replace('_', ' ')} {value}"
                        for name, value in report["machine"].items())
    lost = ", ".join(report["missing"]) or "nothing"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>latchkey: benchmarks</title><style>{STYLE}</style></head><body>\n"
        f"<h1>latchkey: benchmarks</h1>\n<p>Commit {html.escape(report['commit'])},"
        f" {report['date']}, {report['mode']}, {report['seconds']} s."
        f" {html.escape(machine)}. Load before {report['load_before']:.1f}, after"
        f" {report['load_after']:.1f}. Ratios are taken round by round; a spread is the smallest"
        " and the largest.</p>\n"
        + "\n".join(plots)
        + "\n<table><tr><th>figure</th><th>value</th><th>unit</th><th>target</th><th></th>"
          "<th>spread</th><th>n</th></tr>\n" + "\n".join(rows)
        + f"\n</table>\n<p>With a target and not measured in this run: {lost}.</p></body></html>\n")


def readme_table(report):
    """Every figure with a target, in Markdown."""
    out = ["| figure | measured | spread | target | |", "|---|---|---|---|---|"]
    for key, one in report["figures"].items():
        if "target" not in one:
            continue
        low, high = one["spread"]
        sign = "\u2264" if one["target"]["sign"] == "<=" else "\u2265"
        spread = f"{number(low)} \u2013 {number(high)}" if one["n"] > 1 else "once"
        out.append(f"| `{key}` | {number(one['value'])} | {spread}"
                   f" | {sign} {number(one['target']['number'])}"
                   f" | {'met' if one['met'] else '**missed**'} |")
    return "\n".join(out)


BEGIN = "<!-- figures: made by bench/plots.py -->"
END = "<!-- end of figures -->"


def readme_section(report):
    machine = report["machine"]
    return (f"{BEGIN}\n![Verification against population](bench/plot.svg)\n\n"
            f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB,"
            f" {report['date']}, `./dev bench --{report['mode']}`,\nthe load of the machine"
            f" {report['load_before']:.1f} before and {report['load_after']:.1f} after:\n\n"
            f"{readme_table(report)}\n{END}")


def main():
    if len(sys.argv) != 3:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    report = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    readme = pathlib.Path(sys.argv[2])
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        print(f"{readme} has no place for the figures: {BEGIN} ... {END}", file=sys.stderr)
        return 1
    readme.write_text(before + readme_section(report) + after, encoding="utf-8")
    picture = pathlib.Path(__file__).resolve().with_name("plot.svg")
    picture.write_text(population_plot(report), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
