"""23. Q-learning in a table: whoever walks through a maze often enough learns what every step is worth, and the way out.

Teaches: states, actions, rewards, discount, exploring and exploiting, the Bellman equation, value iteration as the exact answer.
Source: Watkins and Dayan (1992), https://doi.org/10.1007/BF00992698; Bellman (1957), Dynamic Programming.
Result: The way out in 8 moves, where 8 are the fewest; its return is 0.86, and -1.93 at random; the values on it differ
from the exact ones by 8.9e-07 at most.
Time: 4 s on one core.
"""

from common import options, plt, progress, report

import minigrad as torch

MAZE = ["S..#.",  # from S to G, through no wall #, not into the pit O
        ".#...",
        ".#.#.",
        "...O#",
        "#...G"]
MOVES = {"^": (-1, 0), "v": (1, 0), "<": (0, -1), ">": (0, 1)}
SIZE = len(MAZE)
CELLS = "".join(MAZE)  # states are the numbers of cells, row by row
START = CELLS.index("S")
LONGEST = 100  # of an episode, in moves


def step(state, action):
    """Where a move leads, its reward, and whether it ends the episode. Into a wall is no move."""
    down, right = list(MOVES.values())[action]
    row, column = state // SIZE + down, state % SIZE + right
    if 0 <= row < SIZE and 0 <= column < SIZE and MAZE[row][column] != "#":
        state = row * SIZE + column
    return state, {"G": 1.0, "O": -1.0}.get(CELLS[state], -0.02), CELLS[state] in "GO"


def play(q, curious):
    """Plays one episode, and gives its transitions one by one; of the moves, the share `curious` is made at random."""
    state, done, moves = START, False, 0
    while not done and moves < LONGEST:
        action = torch.randint(4, ()).item() if torch.rand(()).item() < curious else q[state].argmax().item()
        new, reward, done = step(state, action)
        yield state, action, reward, new, done
        state, moves = new, moves + 1


def learn(args):
    """The table (states, 4) of what each move is worth, and the moves and the return of each episode."""
    q = torch.zeros(len(CELLS), 4)
    lengths, returns = [], []
    for episode in progress(range(args.episodes), "Q-learning"):
        rewards = []
        for state, action, reward, new, done in play(q, curious=max(0.1, 1 - episode / (0.8 * args.episodes))):
            expected = reward + args.discount * q[new].max() * (not done)  # what the move brought, and the best that can follow
            q[state, action] += args.lr * (expected - q[state, action])
            rewards.append(reward)
        lengths.append(len(rewards))
        returns.append(sum(rewards))
    return q, lengths, returns


def solve(discount):
    """The exact table, by value iteration: the Bellman equation applied until nothing changes. It must know the maze."""
    outcomes = [[step(state, action) for action in range(4)] for state in range(len(CELLS))]
    new, reward, done = (torch.tensor([[outcome[k] for outcome in row] for row in outcomes]) for k in range(3))
    q, before = torch.zeros(len(CELLS), 4), None
    while before is None or not torch.equal(q, before):
        q, before = reward + discount * q.max(dim=1).values[new] * ~done, q
    return q


def walk(q):
    """The cells on the best way by a table, and its return."""
    transitions = list(play(q, curious=0.0))
    return [START] + [new for _, _, _, new, _ in transitions], sum(reward for _, _, reward, _, _ in transitions)


def draw(path, q, way, lengths):
    """The value of each cell with the best move there, and how long episodes were."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.4))
    values = q.max(dim=1).values.view(SIZE, SIZE)
    walls = torch.tensor([c == "#" for c in CELLS]).view(SIZE, SIZE)
    image = left.imshow(values.masked_fill(walls, torch.nan).numpy(), cmap="YlGn", vmin=0, vmax=1)
    left.set_facecolor("lightgray")
    for state, cell in enumerate(CELLS):
        shown = {"#": "wall", "O": "pit", "G": "exit"}.get(cell)
        arrow = "↑↓←→"[q[state].argmax().item()]
        left.text(state % SIZE, state // SIZE, shown or f"{arrow}\n{q[state].max().item():.2f}", ha="center", va="center",
                  fontsize=9, weight="bold" if state in way else None)
    left.set(xlabel="value and best move; the way is bold", xticks=[], yticks=[])
    figure.colorbar(image, ax=left, label="expected return", shrink=0.85)
    right.plot(range(1, len(lengths) + 1), lengths, linewidth=0.7)
    right.axhline(len(way) - 1, color="gray", linestyle="--", label=f"the best way: {len(way) - 1} moves")
    right.set(xlabel="episode", ylabel="moves until the end", ylim=(0, None))
    right.legend(frameon=False)
    figure.savefig(path)


def main():
    args = options(__doc__, episodes=(2000, 500), lr=0.2, discount=0.95)
    torch.manual_seed(args.seed)
    q, lengths, returns = learn(args)
    exact = solve(args.discount)
    (way, gained), (shortest, _) = walk(q), walk(exact)
    for row in range(SIZE):
        print("   ", " ".join(cell if cell in "#OG" else list(MOVES)[q[row * SIZE + column].argmax().item()]
                              for column, cell in enumerate(MAZE[row])))
    off = (q.max(dim=1).values - exact.max(dim=1).values)[way[:-1]].abs().max().item()
    by_chance = sum(returns[:20]) / 20
    draw(args.out / "maze.png", q, way, lengths)
    report(args, f"The way out in {len(way) - 1} moves, where {len(shortest) - 1} are the fewest; its return is {gained:.2f}, "
                 f"and {by_chance:.2f} at random; the values on it differ from the exact ones by {off:.1e} at most.",
           picture="maze.png", moves=len(way) - 1, shortest=len(shortest) - 1, gained=gained, off=off, by_chance=by_chance)


if __name__ == "__main__":
    main()
