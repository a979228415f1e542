"""9. Deep Q-learning: a network that knows nothing of the maze learns, from reward alone, the way to its exit."""

import argparse
import random
from collections import deque

import minigrad as torch
from minigrad import nn, optim
from minigrad.nn import functional as F

MAZE = ["S..#.",  # from S to G, through no wall #, not into the pit O
        ".#...",
        ".#.#.",
        "...O#",
        "#...G"]
MOVES = {"^": (-1, 0), "v": (1, 0), "<": (0, -1), ">": (0, 1)}
SIZE = len(MAZE)


def step(place, action):
    """Where a move leads, its reward, and whether it ends the game. Into a wall is no move."""
    (row, column), (down, right) = place, list(MOVES.values())[action]
    new = row + down, column + right
    if not (0 <= new[0] < SIZE and 0 <= new[1] < SIZE) or MAZE[new[0]][new[1]] == "#":
        new = place
    cell = MAZE[new[0]][new[1]]
    return new, {"G": 1.0, "O": -1.0}.get(cell, -0.02), cell in "GO"


def encode(places):
    """Places as one-hot vectors, all that the network is told."""
    return F.one_hot(torch.tensor([row * SIZE + column for row, column in places]), SIZE * SIZE).float()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", "--epochs", type=int, default=200)
    args = parser.parse_args()

    random.seed(0)
    torch.manual_seed(0)
    q, target = (nn.Sequential(nn.Linear(SIZE * SIZE, 64), nn.ReLU(), nn.Linear(64, 4)) for _ in range(2))
    target.load_state_dict(q.state_dict())
    optimizer = optim.Adam(q.parameters(), lr=3e-3)
    memory, returns, moves = deque(maxlen=2000), deque(maxlen=20), 0
    for episode in range(args.episodes):
        place, done, total = (0, 0), False, 0.0
        curious = max(0.05, 1 - episode / (0.6 * args.episodes))  # the share of moves made at random falls
        for _ in range(40):
            with torch.no_grad():
                action = random.randrange(4) if random.random() < curious else q(encode([place])).argmax().item()
            new, reward, done = step(place, action)
            memory.append((place, action, reward, new, done))
            place, total, moves = new, total + reward, moves + 1
            if len(memory) >= 64 and moves % 2 == 0:
                places, actions, rewards, news, ends = zip(*random.sample(memory, 64))
                with torch.no_grad():  # what the move brought, and the best that can follow
                    best = torch.tensor(rewards) + 0.95 * target(encode(news)).max(dim=1).values * ~torch.tensor(ends)
                value = q(encode(places)).gather(1, torch.tensor(actions).unsqueeze(1)).squeeze(1)
                loss = F.smooth_l1_loss(value, best)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            if moves % 100 == 0:
                target.load_state_dict(q.state_dict())
            if done:
                break
        returns.append(total)
        if episode % 40 == 0 or episode == args.episodes - 1:
            print(f"episode {episode:3}  mean return {sum(returns) / len(returns):+.2f}  at random {curious:.0%}")

    with torch.no_grad():
        policy = q(torch.eye(SIZE * SIZE)).argmax(dim=1).view(SIZE, SIZE).tolist()
    for cells, actions in zip(MAZE, policy):
        print("   ", " ".join(c if c in "#OG" else list(MOVES)[a] for c, a in zip(cells, actions)))
    place, length, reward = (0, 0), 0, 0.0
    while length < 40 and abs(reward) < 1:
        place, reward, _ = step(place, policy[place[0]][place[1]])
        length += 1
    print(f"exit reached in {length} moves" if reward == 1 else "exit not found: train longer")


if __name__ == "__main__":
    main()
