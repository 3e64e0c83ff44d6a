"search/top"
