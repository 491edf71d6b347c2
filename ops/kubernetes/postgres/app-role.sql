-- Run once by the image of Postgres when its volume is empty: the Workers' role with a password. The first migration finds it there.
\getenv app_password JEEVES_APP_PASSWORD
create role jeeves_app login nosuperuser nocreatedb nocreaterole nobypassrls password :'app_password';
