"""A chart of memory, and of what was sent, as SVG."""

WIDTH, HEIGHT, LEFT, RIGHT, BOTTOM = 900, 320, 70, 40, 40


def memory(rows):
    """Resident memory in MiB over minutes; in the title the rate of messages."""
    minutes = [row["seconds"] / 60 for row in rows]
    mib = [row["memory"] / 2**20 for row in rows]
    top = 1.15 * max(mib)
    end = max(minutes)
    x = lambda minute: LEFT + minute / end * (WIDTH - LEFT - RIGHT)
    y = lambda value: HEIGHT - BOTTOM - value / top * (HEIGHT - BOTTOM - 40)
    points = " ".join(f"{x(minute):.1f},{y(value):.1f}" for minute, value in zip(minutes, mib))
    step = max(1, round(end / 6))
    # Three to six lines, at round values.
    line = next(line for line in (10 ** power * first for power in range(9) for first in (1, 2, 5)) if top / line < 7)
    across = "".join(
        f'<text x="{x(minute):.0f}" y="{HEIGHT - 16}" text-anchor="middle">{minute} min</text>'
        for minute in range(0, int(end) + 1, step)
    )
    up = "".join(
        f'<text x="{LEFT - 8}" y="{y(value) + 4:.0f}" text-anchor="end">{value:.0f}</text>'
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#ddd"/>'
        for value in range(line, int(top), line)
    )
    rate = rows[-1]["sent"] / rows[-1]["seconds"]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
        f'<text x="{LEFT}" y="22">Resident memory of gonedark watch in MiB, {rate:,.0f} messages a second</text>'
        f'{up}{across}<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(0):.0f}" y2="{y(0):.0f}" stroke="#555"/>'
        f'<polyline points="{points}" fill="none" stroke="#0b5fa5" stroke-width="1.5"/></svg>\n'
    )
