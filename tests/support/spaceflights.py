"""A small Kedro project that has nothing to do with digits: shuttles, companies and reviews."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

FILES = {
    "pyproject.toml": """
        [tool.kedro]
        package_name = "spaceflights"
        project_name = "spaceflights"
        kedro_init_version = "1.7.0"
        source_dir = "src"
        """,
    "src/spaceflights/__init__.py": "",
    "src/spaceflights/settings.py": "",
    "src/spaceflights/pipeline_registry.py": """
        from kedro.pipeline import Node, Pipeline

        from spaceflights.nodes import evaluate, join, parse_companies, parse_shuttles, split, train


        def register_pipelines():
            processing = Pipeline([
                Node(parse_companies, "companies", "parsed_companies", name="companies"),
                Node(parse_shuttles, "shuttles", "parsed_shuttles", name="shuttles"),
                Node(
                    join,
                    ["parsed_shuttles", "parsed_companies", "reviews"],
                    "table",
                    name="join",
                ),
            ])
            science = Pipeline(
                [
                    Node(split, ["table", "params:options"], ["train", "test"], name="split"),
                    Node(train, ["train", "params:options"], "regressor", name="train"),
                    Node(
                        evaluate,
                        ["regressor", "test", "params:options"],
                        "metrics",
                        name="evaluate",
                    ),
                ],
            )
            models = [
                Pipeline(
                    science,
                    namespace=name,
                    inputs={"table"},
                    parameters={"params:options": f"params:{name}"},
                )
                for name in ("large", "small")
            ]
            return {"__default__": processing + sum(models, Pipeline([]))}
        """,
    "src/spaceflights/nodes.py": """
        import logging

        import numpy as np


        def parse_companies(companies):
            rating = companies["rating"].str.rstrip("%").astype(float) / 100
            return companies.assign(rating=rating)


        def parse_shuttles(shuttles):
            return shuttles.assign(price=shuttles["price"].str.lstrip("$").astype(float))


        def join(shuttles, companies, reviews):
            rated = shuttles.merge(reviews, left_on="id", right_on="shuttle_id")
            return rated.merge(companies, left_on="company_id", right_on="id").dropna()


        def split(table, options):
            test = table.sample(frac=options["test_size"], random_state=options["seed"])
            return table.drop(test.index), test


        def train(train, options):
            return np.linalg.lstsq(train[options["features"]].to_numpy(float), train["price"])[0]


        def evaluate(regressor, test, options):
            error = test["price"] - test[options["features"]].to_numpy(float) @ regressor
            logging.getLogger(__name__).info("mean error %.3f", error.abs().mean())
            return {"error": float(error.abs().mean())}
        """,
    "conf/base/catalog.yml": """
        _csv: &csv {type: pandas.CSVDataset, save_args: {index: false}}
        companies: {<<: *csv, filepath: data/companies.csv}
        shuttles: {<<: *csv, filepath: data/shuttles.csv}
        reviews: {<<: *csv, filepath: data/reviews.csv}
        parsed_companies: {type: pickle.PickleDataset, filepath: data/companies.pickle}
        table: {type: pickle.PickleDataset, filepath: data/table.pickle}
        "{name}.regressor":
          type: pickle.PickleDataset
          filepath: data/{name}.pickle
          versioned: true
        "{name}.metrics": {type: json.JSONDataset, filepath: "data/{name}.json"}
        """,
    "conf/base/parameters.yml": """
        large: &large {test_size: 0.2, seed: 3, features: [engines, rating, score]}
        small: {<<: *large, features: [engines]}
        """,
    "conf/local/.gitkeep": "",
}


def write_spaceflights(folder: Path) -> Path:
    """Write the project with random data into a new folder, and return the folder."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = text.lstrip("\n").splitlines()
        indent = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
        path.write_text("\n".join(line[indent:] for line in lines) + "\n")
    random, shuttles = np.random.default_rng(1), 200
    tables = {
        "companies": {"id": range(20), "rating": [f"{n}%" for n in random.integers(50, 100, 20)]},
        "shuttles": {
            "id": range(shuttles),
            "company_id": random.integers(0, 20, shuttles),
            "engines": random.integers(1, 5, shuttles),
            "price": [f"${price:.2f}" for price in random.normal(1000, 100, shuttles)],
        },
        "reviews": {"shuttle_id": range(shuttles), "score": random.uniform(0, 10, shuttles)},
    }
    (folder / "data").mkdir()
    for name, columns in tables.items():
        pd.DataFrame(columns).to_csv(folder / "data" / f"{name}.csv", index=False)
    return folder


def read_metrics(folder: Path) -> dict[str, float]:
    """Return the errors of both regressors, by the names of the files."""
    return {path.name: json.loads(path.read_text())["error"] for path in folder.glob("data/*.json")}
